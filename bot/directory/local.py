"""Whether a server is on this machine."""

from ipaddress import ip_address


def is_this_machine(host: str) -> bool:
    """Traffic that never leaves the machine may go without TLS."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
