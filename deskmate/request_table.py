"""What can be asked for, as the table of docs/requests.md."""

from typing import Any

from bot.directory.demo import DemoDirectory
from bot.directory.directory import Ability
from bot.directory.entra import EntraDirectory
from bot.directory.ldap import LdapDirectory
from bot.directory.okta import OktaDirectory
from bot.directory.scim import ScimDirectory
from bot.workflows.register import listed

DIRECTORIES: dict[str, Any] = {
    "demo": DemoDirectory,
    "LDAP": LdapDirectory,
    "SCIM": ScimDirectory,
    "Okta": OktaDirectory,
    "Entra": EntraDirectory,
}


def table() -> str:
    """Markdown, with a line's end."""
    rows = [
        "| Request | Risk | Level | Approver | Directories that can | How it is undone |",
        "|---|---|---|---|---|---|",
    ]
    for request in listed():
        needs = {Ability(need) for need in request["needs"]}
        able = ", ".join(name for name, directory in DIRECTORIES.items() if needs <= directory.abilities)
        cells = (request["request"], request["risk"], request["level"], request["approver"], able, request["undone_by"])
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"
