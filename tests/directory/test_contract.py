"""What every directory promises, asked of each: the demo directory, a real OpenLDAP, a real SCIM server, stand-ins for
Okta and Entra."""

import time

import pytest

from bot.directory.directory import Ability, DirectoryRefused, DirectoryUnavailable, PasswordRefused
from tests.directory.town import (
    DESIGN_TOOLS,
    NEW,
    OLD,
    KeepsNoOwners,
    TakesTheOldPassword,
    Town,
    group_of,
    id_of,
    name_of,
    person_of,
)


def test_a_person_is_found_by_account_and_by_the_id_that_never_changes(town: Town) -> None:
    alice = person_of(town, "alice")

    assert (name_of(alice.account), alice.name, alice.emails) == ("alice", "Alice", ("alice@harbour.example",))
    assert (name_of(alice.manager), alice.enabled, alice.privileged) == ("victor", True, False)
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
    assert town.signs_in("alice", OLD)
    if Ability.PASSWORD not in town.directory.abilities:
        with pytest.raises(DirectoryRefused, match="password"):
            town.directory.set_password(id_of(town, "alice"), NEW)
        assert town.signs_in("alice", OLD)
        return

    town.directory.set_password(id_of(town, "alice"), NEW)

    assert town.signs_in("alice", NEW)
    assert not town.signs_in("alice", OLD)
    assert town.signs_in("victor", OLD)


def test_a_password_is_tried_only_where_the_directory_lets_one(town: Town) -> None:
    alice = id_of(town, "alice")
    if Ability.SIGN_IN not in town.directory.abilities:
        with pytest.raises(DirectoryRefused):
            town.directory.check_password(alice, OLD)
        return
    assert town.directory.check_password(alice, OLD)
    assert not town.directory.check_password(alice, NEW)
    assert not town.directory.check_password(alice, "")


@pytest.mark.parametrize("password", ["tiny", OLD])
def test_the_directorys_policy_is_heard_and_nothing_changes(town: Town, password: str) -> None:
    alice = id_of(town, "alice")
    if Ability.PASSWORD not in town.directory.abilities:
        with pytest.raises(DirectoryRefused, match="password"):
            town.directory.set_password(alice, password)
        return
    marker = town.directory.password_marker(alice)
    if password == OLD and isinstance(town, TakesTheOldPassword):
        town.directory.set_password(alice, OLD)
        assert town.signs_in("alice", OLD)
        return

    with pytest.raises(PasswordRefused) as refused:
        town.directory.set_password(alice, password)

    assert "The directory" in str(refused.value)
    assert password not in str(refused.value)
    assert town.directory.password_marker(alice) == marker
    assert town.signs_in("alice", OLD)


def test_the_marker_changes_when_the_password_does_and_at_nothing_else(town: Town) -> None:
    alice = id_of(town, "alice")
    if Ability.PASSWORD not in town.directory.abilities:
        with pytest.raises(DirectoryRefused, match="password"):
            town.directory.password_marker(alice)
        return
    before = town.directory.password_marker(alice)
    town.signs_in("alice", "wrong password")
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
    assert not town.signs_in("alice", OLD)


def test_a_locked_account_is_unlocked_and_keeps_its_password(town: Town) -> None:
    alice = id_of(town, "alice")
    assert not town.directory.is_locked(alice)
    town.lock("alice")
    if Ability.UNLOCK not in town.directory.abilities:
        with pytest.raises(DirectoryRefused):
            town.directory.unlock(alice)
        return
    assert town.directory.is_locked(alice)
    assert not town.signs_in("alice", OLD)

    for _ in range(2):
        town.directory.unlock(alice)

    assert not town.directory.is_locked(alice)
    assert town.signs_in("alice", OLD)


def test_unlocking_brings_no_disabled_account_back(town: Town) -> None:
    alice = id_of(town, "alice")
    town.directory.disable(alice)
    assert not town.directory.is_locked(alice)

    if Ability.UNLOCK in town.directory.abilities:
        town.directory.unlock(alice)

    found = town.directory.get(alice)
    assert found is not None
    assert not found.enabled


def test_all_sign_ins_are_ended_where_the_directory_knows_of_any(town: Town) -> None:
    alice = id_of(town, "alice")
    if Ability.SESSIONS not in town.directory.abilities:
        with pytest.raises(DirectoryRefused):
            town.directory.end_sessions(alice)
        return
    assert town.sessions("alice") == 1
    for _ in range(2):
        town.directory.end_sessions(alice)
    assert town.sessions("alice") == 0
    assert town.sessions("victor") == 1


def test_a_group_is_found_by_its_name(town: Town) -> None:
    found = town.directory.group("Design-Tools")

    assert found is not None
    if isinstance(town, KeepsNoOwners):
        assert (found.name, found.description, found.owners, found.privileged) == ("design-tools", "", (), False)
        return
    assert (found.name, found.description, found.privileged) == ("design-tools", DESIGN_TOOLS, False)
    assert [name_of(owner) for owner in found.owners] == ["victor"]


@pytest.mark.parametrize(
    "name", ["nothing", "*", "design*", "", "design-tools)(cn=*", "design-tools\x00", 'a"b', "a'b"]
)
def test_no_group_is_found_by_another_name(town: Town, name: str) -> None:
    assert town.directory.group(name) is None


def test_a_group_that_gives_special_rights_says_so(town: Town) -> None:
    found = town.directory.group("admins")

    assert found is not None
    assert found.privileged


def test_somebody_is_put_into_a_group_and_taken_out_again(town: Town) -> None:
    alice, group = id_of(town, "alice"), group_of(town, "design-tools")
    assert not town.directory.is_member(alice, group)
    assert town.directory.is_member(id_of(town, "victor"), group)

    for _ in range(2):
        town.directory.add_member(alice, group)
    assert town.directory.is_member(alice, group)
    found = town.directory.get(alice)
    assert found is not None
    assert found.groups == {"staff", "design-tools"}

    for _ in range(2):
        town.directory.remove_member(alice, group)
    assert not town.directory.is_member(alice, group)
    assert town.directory.is_member(id_of(town, "victor"), group)


def test_a_group_or_an_account_that_is_gone_is_no_success(town: Town) -> None:
    gone = "00000000-0000-4000-8000-000000000000"
    for person, group in ((gone, group_of(town, "design-tools")), (id_of(town, "alice"), gone)):
        with pytest.raises(DirectoryUnavailable):
            town.directory.add_member(person, group)


@pytest.mark.parametrize(("account", "privileged"), [("alice", False), ("adam", True), ("nina", True)])
def test_special_rights_are_seen_also_through_groups_in_groups(town: Town, account: str, privileged: bool) -> None:
    assert person_of(town, account).privileged is privileged
