from tests.faults.over_http import line
from tests.reset.fixtures import desk, mail_server

__all__ = ["desk", "line", "mail_server"]
