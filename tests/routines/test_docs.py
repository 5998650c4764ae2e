"""The table in docs/requests.md says what the register says."""

from pathlib import Path
from typing import Any

from bot.directory.demo import DemoDirectory
from bot.directory.directory import Ability
from bot.directory.entra import EntraDirectory
from bot.directory.ldap import LdapDirectory
from bot.directory.okta import OktaDirectory
from bot.directory.scim import ScimDirectory
from bot.workflows.register import listed

PAGE = Path(__file__).parents[2] / "docs" / "requests.md"
BEGIN, END = "<!-- begin: deskmate requests list -->\n", "<!-- end: deskmate requests list -->"
DIRECTORIES: dict[str, Any] = {
    "demo": DemoDirectory,
    "LDAP": LdapDirectory,
    "SCIM": ScimDirectory,
    "Okta": OktaDirectory,
    "Entra": EntraDirectory,
}


def table() -> str:
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


def test_the_table_of_requests_is_that_of_the_register() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page[page.index(BEGIN) + len(BEGIN) : page.index(END)] == table()
