from tests.reset.fixtures import desk, mail_server

__all__ = ["desk", "mail_server"]
