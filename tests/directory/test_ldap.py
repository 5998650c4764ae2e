"""What only LDAP has."""

import pytest
from pydantic import SecretStr

from bot.directory.directory import DirectoryRefused, DirectoryUnavailable, PasswordRefused
from bot.directory.feed import PersonFeed
from bot.directory.ldap import LdapDirectory
from bot.directory.local import is_this_machine
from bot.directory.settings import DirectoryMisconfigured, DirectorySettings
from bot.people import People
from store import Database, utc_now
from tests.directory import openldap
from tests.directory.ldap_town import LdapTown
from tests.directory.town import NEW, OLD, group_of, id_of


@pytest.mark.ldap
def test_t6_the_directory_itself_refuses_what_the_desk_forgets_to_check(ldap_town: LdapTown) -> None:
    adam = id_of(ldap_town, "adam")

    with pytest.raises(PasswordRefused):
        ldap_town.directory.set_password(adam, NEW)
    with pytest.raises(DirectoryRefused):
        ldap_town.directory.disable(adam)
    with pytest.raises(DirectoryRefused):
        ldap_town.directory.add_member(id_of(ldap_town, "alice"), group_of(ldap_town, "admins"))

    assert ldap_town.directory.check_password(adam, OLD)


@pytest.mark.ldap
def test_the_last_member_of_a_group_stays_and_the_reason_is_said(ldap_town: LdapTown) -> None:
    with pytest.raises(DirectoryRefused, match="no group without members"):
        ldap_town.directory.remove_member(id_of(ldap_town, "victor"), group_of(ldap_town, "design-tools"))


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
