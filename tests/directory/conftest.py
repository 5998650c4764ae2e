"""Each directory, filled with the same town."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store import Base, Database
from tests.directory import openldap
from tests.directory.demo_town import DemoTown
from tests.directory.entra_server import EntraServer
from tests.directory.entra_town import EntraTown
from tests.directory.ldap_town import LdapTown
from tests.directory.okta_town import OktaTown
from tests.directory.scim_town import ScimTown, scim_server
from tests.directory.town import Town


@pytest.fixture
def ldap_town(tmp_path: Path) -> Iterator[LdapTown]:
    if not openldap.SLAPD.exists() or not list(openldap.MODULES.glob("ppolicy*")):
        pytest.skip("OpenLDAP's server isn't installed (Debian: apt-get install slapd)")
    folder = tmp_path / "ldap"
    folder.mkdir()
    with openldap.openldap(folder) as settings:
        yield LdapTown(settings)


@pytest.fixture
def scim_town() -> Iterator[ScimTown]:
    with scim_server() as server:
        yield ScimTown(server)


@pytest.fixture
def demo_town(tmp_path: Path) -> Iterator[DemoTown]:
    database = Database.at(f"sqlite:///{tmp_path / 'demo.sqlite'}")
    Base.metadata.create_all(database.engine)
    yield DemoTown(database)
    database.close()


@pytest.fixture
def okta_town() -> Iterator[OktaTown]:
    town = OktaTown()
    yield town
    town.server.close()


@pytest.fixture
def entra_town() -> Iterator[EntraTown]:
    server = EntraServer()
    yield EntraTown(server)
    server.close()


@pytest.fixture(params=["demo", pytest.param("ldap", marks=pytest.mark.ldap), "scim", "okta", "entra"])
def town(request: pytest.FixtureRequest) -> Town:
    found: Town = request.getfixturevalue(f"{request.param}_town")
    return found
