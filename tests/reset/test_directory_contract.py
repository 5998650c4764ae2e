"""What every directory promises, asked of each: the demo directory and a real OpenLDAP."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from ldap3 import Connection  # type: ignore[import-untyped]  # ships no types
from pydantic import SecretStr

from bot.directory.demo import DemoDirectory
from bot.directory.directory import Directory, DirectoryUnavailable, PasswordRefused
from bot.directory.feed import PersonFeed
from bot.directory.ldap import DirectoryMisconfigured, LdapDirectory, is_this_machine
from bot.directory.records import demo_account
from bot.directory.settings import DirectorySettings
from bot.people import People
from store import Base, Database, utc_now
from tests.reset import openldap

OLD, NEW = "old rope and candles", "seven green lanterns"


class Town(Protocol):
    """A directory with Alice in `staff`, Victor in `staff`, Adam in `admins`, and Nina in a group inside `admins`."""

    @property
    def directory(self) -> Directory: ...

    def recreate(self, account: str) -> None:
        """Delete the account and make one of the same name."""


class DemoTown:
    def __init__(self, database: Database) -> None:
        self.directory = DemoDirectory(database, privileged_groups=frozenset({"admins"}))
        self._database = database
        for account, groups in (("alice", ("staff",)), ("victor", ("staff",)), ("adam", ("staff", "admins"))):
            self._add(account, groups)
        self._add("nina", ("staff", "night-shift", "admins"))

    def _add(self, account: str, groups: tuple[str, ...]) -> None:
        manager = "victor" if account == "alice" else None
        mail = (f"{account}@harbour.example",)
        self.directory.take(
            PersonFeed(account=account, name=account.title(), emails=mail, groups=groups, manager=manager, password=OLD)
        )

    def recreate(self, account: str) -> None:
        with self._database.transaction() as session:
            session.delete(demo_account(session, account))
        self._add(account, ("staff",))


class LdapTown:
    def __init__(self, settings: DirectorySettings) -> None:
        self.settings = settings
        self.directory = LdapDirectory(settings)
        admin = self.as_root()
        victor = openldap.add_person(admin, "victor", OLD, mail=["victor@harbour.example"])
        alice = openldap.add_person(admin, "alice", OLD, mail=["alice@harbour.example"], manager=victor)
        adam = openldap.add_person(admin, "adam", OLD, mail=["adam@harbour.example"], under=openldap.ADMINS)
        nina = openldap.add_person(admin, "nina", OLD, mail=["nina@harbour.example"])
        night = openldap.add_group(admin, "night-shift", [nina])
        inner = openldap.add_group(admin, "inner", [night])
        openldap.add_group(admin, "admins", [adam, inner])
        openldap.add_group(admin, "staff", [alice, victor, adam, nina])
        admin.unbind()

    def as_root(self) -> Connection:
        return openldap.as_root(self.settings.ldap_url)

    def recreate(self, account: str) -> None:
        admin = self.as_root()
        admin.delete(f"uid={account},{openldap.PEOPLE}")
        openldap.add_person(admin, account, OLD, mail=[f"{account}@harbour.example"])
        admin.unbind()


@pytest.fixture
def ldap_town(tmp_path: Path) -> Iterator[LdapTown]:
    if not openldap.SLAPD.exists() or not list(openldap.MODULES.glob("ppolicy*")):
        pytest.skip("OpenLDAP's server isn't installed (Debian: apt-get install slapd)")
    folder = tmp_path / "ldap"
    folder.mkdir()
    with openldap.openldap(folder) as settings:
        yield LdapTown(settings)


@pytest.fixture(params=["demo", pytest.param("ldap", marks=pytest.mark.ldap)])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    if request.param == "ldap":
        found: LdapTown = request.getfixturevalue("ldap_town")
        yield found
        return

    database = Database.at(f"sqlite:///{tmp_path / 'demo.sqlite'}")
    Base.metadata.create_all(database.engine)
    yield DemoTown(database)
    database.close()


def id_of(town: Town, account: str) -> str:
    found = town.directory.find(account)
    assert found is not None
    return found.directory_id


def test_a_person_is_found_by_account_and_by_the_id_that_never_changes(town: Town) -> None:
    alice = town.directory.find("alice")

    assert alice is not None
    assert (alice.account, alice.name, alice.emails) == ("alice", "Alice", ("alice@harbour.example",))
    assert (alice.manager, alice.enabled, alice.privileged) == ("victor", True, False)
    assert alice.groups == {"staff"}
    assert town.directory.get(alice.directory_id) == alice


def test_nobody_is_found_by_a_name_or_an_id_that_isnt_there(town: Town) -> None:
    assert town.directory.find("nobody") is None
    assert town.directory.get("00000000-0000-4000-8000-000000000000") is None
    assert town.directory.get("*") is None


@pytest.mark.parametrize("name", ["*", "a*", "*)(uid=*", "alice)(|(uid=*", "\\2a", "alice\x00", "", "(", "&", "é*"])
def test_a_name_is_a_name_whatever_characters_are_in_it(town: Town, name: str) -> None:
    assert town.directory.find(name) is None


def test_a_new_account_of_the_old_name_has_another_id(town: Town) -> None:
    old = id_of(town, "alice")
    town.recreate("alice")

    assert town.directory.get(old) is None
    assert id_of(town, "alice") != old


def test_a_new_password_replaces_the_old_one(town: Town) -> None:
    alice = id_of(town, "alice")
    assert town.directory.check_password(alice, OLD)

    town.directory.set_password(alice, NEW)

    assert town.directory.check_password(alice, NEW)
    assert not town.directory.check_password(alice, OLD)
    assert not town.directory.check_password(alice, "")
    assert town.directory.check_password(id_of(town, "victor"), OLD)


@pytest.mark.parametrize("password", ["tiny", OLD])
def test_the_directorys_policy_is_heard_and_nothing_changes(town: Town, password: str) -> None:
    alice = id_of(town, "alice")
    marker = town.directory.password_marker(alice)

    with pytest.raises(PasswordRefused) as refused:
        town.directory.set_password(alice, password)

    assert "The directory" in str(refused.value)
    assert password not in str(refused.value)
    assert town.directory.password_marker(alice) == marker
    assert town.directory.check_password(alice, OLD)


def test_the_marker_changes_when_the_password_does_and_at_nothing_else(town: Town) -> None:
    alice = id_of(town, "alice")
    before = town.directory.password_marker(alice)
    town.directory.check_password(alice, "wrong password")
    town.directory.set_password(id_of(town, "victor"), NEW)
    assert town.directory.password_marker(alice) == before

    time.sleep(1.1)  # OpenLDAP counts in whole seconds
    town.directory.set_password(alice, NEW)

    assert town.directory.password_marker(alice) != before


def test_a_disabled_account_says_so_and_lets_nobody_in(town: Town) -> None:
    alice = id_of(town, "alice")
    for _ in range(2):
        town.directory.disable(alice)

    found = town.directory.get(alice)
    assert found is not None
    assert not found.enabled
    assert not town.directory.check_password(alice, OLD)


@pytest.mark.parametrize(("account", "privileged"), [("alice", False), ("adam", True), ("nina", True)])
def test_special_rights_are_seen_also_through_groups_in_groups(town: Town, account: str, privileged: bool) -> None:
    found = town.directory.find(account)

    assert found is not None
    assert found.privileged is privileged


@pytest.mark.ldap
def test_t6_the_directory_itself_refuses_what_the_desk_forgets_to_check(ldap_town: LdapTown) -> None:
    adam = id_of(ldap_town, "adam")

    with pytest.raises(PasswordRefused):
        ldap_town.directory.set_password(adam, NEW)
    with pytest.raises(DirectoryUnavailable):
        ldap_town.directory.disable(adam)

    assert ldap_town.directory.check_password(adam, OLD)


@pytest.mark.ldap
def test_who_cant_be_judged_counts_as_privileged(ldap_town: LdapTown, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> dict[str, str]:
        raise DirectoryUnavailable("no answer")

    monkeypatch.setattr(ldap_town.directory, "_groups", fails)
    found = ldap_town.directory.find("alice")

    assert found is not None
    assert found.privileged
    assert found.groups == frozenset()


@pytest.mark.ldap
def test_a_password_reaches_the_server_hashed_storage_only(ldap_town: LdapTown) -> None:
    ldap_town.directory.set_password(id_of(ldap_town, "alice"), NEW)
    admin = ldap_town.as_root()
    admin.search(f"uid=alice,{openldap.PEOPLE}", "(objectClass=*)", attributes=["userPassword"])
    stored = admin.response[0]["raw_attributes"]["userPassword"]
    admin.unbind()

    assert len(stored) == 1
    assert stored[0].startswith(b"{SSHA}")


@pytest.mark.ldap
def test_a_feed_binds_to_the_entry_and_reports_who_isnt_there(ldap_town: LdapTown, database: Database) -> None:
    people = People(database=database, slack=None, directory=ldap_town.directory, secret_key="k" * 32, now=utc_now)

    report = people.import_feed(
        [
            PersonFeed(account="alice", name="Alice", groups=("sales",), team_id="T1", slack_user_id="U1"),
            PersonFeed(account="ghost", name="Ghost", team_id="T1", slack_user_id="U2"),
        ]
    )
    alice = people.by_account("alice")

    assert report.added == 1
    assert report.failed == (("ghost", "The directory has no account ghost."),)
    assert alice is not None
    assert alice.directory_id == id_of(ldap_town, "alice")
    assert alice.groups == {"sales", "staff"}


def test_a_server_that_isnt_there_or_lets_nobody_in_is_unavailable(request: pytest.FixtureRequest) -> None:
    settings = DirectorySettings(
        ldap_url="ldap://127.0.0.1:1",
        ldap_bind_dn="cn=x",
        ldap_bind_password=SecretStr("y"),
        ldap_base_dn="dc=x",
    )

    with pytest.raises(DirectoryUnavailable):
        LdapDirectory(settings).find("alice")


@pytest.mark.ldap
def test_a_wrong_service_password_is_a_clear_error(ldap_town: LdapTown) -> None:
    wrong = ldap_town.settings.model_copy(update={"ldap_bind_password": SecretStr("wrong")})

    with pytest.raises(DirectoryUnavailable, match="service account"):
        LdapDirectory(wrong).find("alice")


@pytest.mark.parametrize("url", [None, "", "http://host", "ldap://"])
def test_a_wrong_url_is_said_at_the_start(url: str | None) -> None:
    with pytest.raises(DirectoryMisconfigured, match="DESKMATE_LDAP_URL"):
        LdapDirectory(DirectorySettings(ldap_url=url))


def test_only_this_machine_is_spoken_to_without_tls() -> None:
    assert [is_this_machine(host) for host in ("localhost", "127.0.0.1", "::1")] == [True] * 3
    assert [is_this_machine(host) for host in ("ldap.example", "10.0.0.1", "localhost.example")] == [False] * 3
