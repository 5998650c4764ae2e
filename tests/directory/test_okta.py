"""What only Okta has."""

import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.directory.directory import DirectoryRefused, DirectoryUnavailable, PasswordRefused
from bot.directory.okta import OktaDirectory
from bot.directory.register import directory
from bot.directory.settings import DirectoryMisconfigured, DirectorySettings
from store import Database
from tests.directory.okta_town import OktaTown
from tests.directory.town import NEW, OLD, group_of, id_of

Town = OktaTown
FORBIDDEN: tuple[int, dict[str, str], dict[str, Any]] = (
    403,
    {},
    {"errorCode": "E0000006", "errorSummary": "You do not have permission", "errorCauses": []},
)


# Who is meant


def test_a_login_is_found_in_whatever_case_and_by_nothing_but_itself(okta_town: Town) -> None:
    bob = okta_town.add("Bob@harbour.example")

    for login in ("bob@HARBOUR.example", "Bob@harbour.example"):
        found = okta_town.directory.find(login)
        assert found is not None
        assert (found.directory_id, found.account) == (bob, "Bob@harbour.example")
    for other in ("bob", bob, "me", ".", ".."):
        assert okta_town.directory.find(other) is None


@pytest.mark.parametrize(
    "login", ["a+b@x.example", "a%40b", "a?b=c", "a#b", "a b", "ümläut@x.example", "o'neil", 'a/"b\\']
)
def test_a_login_may_hold_any_character(okta_town: Town, login: str) -> None:
    made = okta_town.add(login)

    found = okta_town.directory.find(login)

    assert found is not None
    assert found.directory_id == made


def test_an_id_is_never_taken_for_a_login_or_a_short_name(okta_town: Town) -> None:
    okta_town.add("sixteenletterslong@harbour.example")

    for other in ("alice", "me", "sixteenletterslong", "sixteenletterslong@harbour.example", "../users"):
        assert okta_town.directory.get(other) is None
        with pytest.raises(DirectoryUnavailable):
            okta_town.directory.disable(other)
        with pytest.raises(DirectoryUnavailable):
            okta_town.directory.set_password(other, NEW)


@pytest.mark.parametrize(
    ("profile", "manager"),
    [
        ({"managerId": "victor"}, "victor"),
        ({"manager": "VICTOR"}, "victor"),
        ({"manager": "Victor Hansen"}, None),
        ({"managerId": "00uNobodyHasThisId00"}, None),
        ({}, None),
    ],
)
def test_a_manager_is_known_by_id_or_login(okta_town: Town, profile: dict[str, str], manager: str | None) -> None:
    okta_town.add("bob", **profile)

    found = okta_town.directory.find("bob")

    assert found is not None
    assert found.manager == manager


def test_both_addresses_and_the_name_come_from_the_profile(okta_town: Town) -> None:
    okta_town.add("bob", displayName="", firstName="Bob", lastName="Berg", secondEmail="bob@private.example")

    found = okta_town.directory.find("bob")

    assert found is not None
    assert (found.name, found.emails) == ("Bob Berg", ("bob@harbour.example", "bob@private.example"))


@pytest.mark.parametrize(
    ("status", "enabled"),
    [
        ("ACTIVE", True),
        ("LOCKED_OUT", True),
        ("PASSWORD_EXPIRED", True),
        ("RECOVERY", True),
        ("SUSPENDED", False),
        ("DEPROVISIONED", False),
        ("STAGED", False),
        ("PROVISIONED", False),
    ],
)
def test_an_account_is_enabled_or_not_by_its_status(okta_town: Town, status: str, enabled: bool) -> None:
    alice = id_of(okta_town, "alice")
    okta_town.server.users[alice]["status"] = status

    found = okta_town.directory.get(alice)

    assert found is not None
    assert found.enabled is enabled


# Who is privileged


def test_all_groups_are_seen_however_many_pages_they_fill(okta_town: Town) -> None:
    bob = okta_town.add("bob")
    names = {f"team-{number}" for number in range(9)}
    for name in sorted(names):
        okta_town.server.add_group(name, bob)

    found = okta_town.directory.find("bob")
    assert found is not None
    assert found.groups == names
    assert not found.privileged

    okta_town.server.add_group("Admins", bob)
    found = okta_town.directory.find("bob")
    assert found is not None
    assert found.privileged


def test_an_administrators_role_makes_privileged_also_by_a_group(okta_town: Town) -> None:
    helper, member = okta_town.add("helper"), okta_town.add("member")
    okta_town.server.give_role(helper, "HELP_DESK_ADMIN")
    desk = okta_town.server.add_group("desk", member)
    okta_town.server.give_role(desk, "CUSTOM")

    for account, privileged in (("helper", True), ("member", True), ("alice", False)):
        found = okta_town.directory.find(account)
        assert found is not None
        assert found.privileged is privileged
    group = okta_town.directory.group("desk")
    assert group is not None
    assert group.privileged


@pytest.mark.parametrize("part", ["/roles", "/groups?"])
@pytest.mark.parametrize("status", [403, 404, 500])
def test_whose_roles_or_groups_cant_be_read_counts_as_privileged(okta_town: Town, part: str, status: int) -> None:
    okta_town.server.instead = [(part, status, {}, {"errorCode": "E0000006"})] * 4

    found = okta_town.directory.find("alice")

    assert found is not None
    assert found.privileged


def test_a_group_whose_roles_cant_be_read_counts_as_privileged(okta_town: Town) -> None:
    okta_town.server.instead = [("/roles", *FORBIDDEN)]

    found = okta_town.directory.group("design-tools")

    assert found is not None
    assert found.privileged


# Passwords and signing in


@pytest.mark.parametrize(
    ("status", "code", "cause", "words"),
    [
        (400, "E0000001", "password: Password requirements were not met. secret", "policy"),
        (403, "E0000080", "secret", "policy"),
        (403, "E0000014", "Password has been used too recently", "remembers"),
        (403, "E0000014", "Password cannot be changed: it has been changed too recently", "so soon"),
        (403, "E0000014", "This password was found in a list of commonly used passwords. secret", "too common"),
        (403, "E0000006", "secret", "doesn't let me"),
        (403, "E0000038", "secret", "policy"),
    ],
)
def test_each_refusal_of_a_password_has_words_of_ours(
    okta_town: Town, status: int, code: str, cause: str, words: str
) -> None:
    body = {"errorCode": code, "errorSummary": "secret", "errorCauses": [{"errorSummary": cause}]}
    alice = id_of(okta_town, "alice")
    okta_town.server.instead = [("POST", status, {}, body)]

    with pytest.raises(PasswordRefused, match=words) as refused:
        okta_town.directory.set_password(alice, NEW)

    assert "secret" not in str(refused.value)
    assert okta_town.signs_in("alice", OLD)


def test_a_password_that_fails_at_okta_is_no_refusal(okta_town: Town) -> None:
    alice = id_of(okta_town, "alice")
    okta_town.server.instead = [("POST", 500, {}, {"errorCode": "E0000009"})]

    with pytest.raises(DirectoryUnavailable):
        okta_town.directory.set_password(alice, NEW)


def test_a_password_that_another_system_keeps_isnt_set(okta_town: Town) -> None:
    alice = id_of(okta_town, "alice")
    okta_town.server.users[alice]["credentials"]["provider"] = {"type": "ACTIVE_DIRECTORY", "name": "harbour.example"}

    with pytest.raises(PasswordRefused, match="Another system"):
        okta_town.directory.set_password(alice, NEW)
    assert not [asked for asked in okta_town.server.asked if asked.startswith("POST")]


def test_no_password_and_no_token_is_in_an_address(okta_town: Town) -> None:
    okta_town.directory.set_password(id_of(okta_town, "alice"), NEW)

    assert okta_town.signs_in("alice", NEW)
    assert not [asked for asked in okta_town.server.asked if "lanterns" in asked or "00QCj" in asked]


def test_a_locked_account_is_disabled_too(okta_town: Town) -> None:
    okta_town.lock("alice")

    okta_town.directory.disable(id_of(okta_town, "alice"))

    assert okta_town.server.users[okta_town.id_at_okta("alice")]["status"] == "SUSPENDED"


def test_what_okta_doesnt_suspend_isnt_said_to_be_disabled(okta_town: Town) -> None:
    alice = id_of(okta_town, "alice")
    okta_town.server.users[alice]["status"] = "PASSWORD_EXPIRED"

    with pytest.raises(DirectoryRefused, match="suspend"):
        okta_town.directory.disable(alice)


def test_what_somebody_else_has_done_meanwhile_is_done(okta_town: Town) -> None:
    alice = id_of(okta_town, "alice")
    user = okta_town.server.users[alice]
    before: dict[str, Any] = {**user, "status": "ACTIVE"}
    user["status"] = "SUSPENDED"
    okta_town.server.instead = [(f"GET /api/v1/users/{alice}", 200, {}, before)]
    okta_town.directory.disable(alice)

    locked: dict[str, Any] = {**user, "status": "LOCKED_OUT"}
    user["status"] = "ACTIVE"
    okta_town.server.instead = [(f"GET /api/v1/users/{alice}", 200, {}, locked)]
    okta_town.directory.unlock(alice)
    assert okta_town.signs_in("alice", OLD)


def test_a_lock_that_okta_doesnt_open_is_said(okta_town: Town) -> None:
    okta_town.lock("alice")
    okta_town.server.instead = [("/lifecycle/unlock", 403, {}, {"errorCode": "E0000032"})]

    with pytest.raises(DirectoryRefused, match="unlock"):
        okta_town.directory.unlock(id_of(okta_town, "alice"))


# Groups


@pytest.mark.parametrize(
    "name", ['say "hi"', "back\\slash", 'both \\" of them', "R&D + 100% #1?", "naïve / Über", '" or id pr']
)
def test_a_groups_name_may_hold_any_character(okta_town: Town, name: str) -> None:
    made = okta_town.server.add_group(name)

    found = okta_town.directory.group(name)

    assert found is not None
    assert (found.group_id, found.name) == (made, name)


@pytest.mark.parametrize(("kind", "reason"), [("APP_GROUP", "another system"), ("BUILT_IN", "by itself")])
def test_a_group_that_okta_doesnt_keep_isnt_changed_and_the_reason_is_said(
    okta_town: Town, kind: str, reason: str
) -> None:
    alice, group = id_of(okta_town, "alice"), okta_town.server.add_group("elsewhere", kind=kind)

    for change in (okta_town.directory.add_member, okta_town.directory.remove_member):
        with pytest.raises(DirectoryRefused, match=reason):
            change(alice, group)
    assert not [asked for asked in okta_town.server.asked if asked.startswith(("PUT", "DELETE"))]


def test_of_two_groups_with_one_name_okta_s_own_is_meant(okta_town: Town) -> None:
    imported = [okta_town.server.add_group("sales", kind="APP_GROUP") for _ in range(2)]
    with pytest.raises(DirectoryUnavailable, match="more than one"):
        okta_town.directory.group("sales")

    own = okta_town.server.add_group("sales")
    assert group_of(okta_town, "sales") == own
    assert own not in imported


def test_a_changed_membership_shows_when_okta_shows_it(okta_town: Town) -> None:
    alice, group = id_of(okta_town, "alice"), group_of(okta_town, "design-tools")
    okta_town.server.lag = 2

    okta_town.directory.add_member(alice, group)
    assert [okta_town.directory.is_member(alice, group) for _ in range(3)] == [False, False, True]

    okta_town.directory.remove_member(alice, group)
    assert [okta_town.directory.is_member(alice, group) for _ in range(3)] == [True, True, False]


def test_the_owners_of_a_group_may_be_a_group_and_may_be_gone(okta_town: Town) -> None:
    group = okta_town.server.add_group("wiki")
    victor, gone = okta_town.id_at_okta("victor"), okta_town.add("gone")
    okta_town.server.own(group, gone)
    okta_town.server.delete_user(gone)
    okta_town.server.own(group, victor)
    okta_town.server.own(group, okta_town.group_at_okta("staff"), "GROUP")

    found = okta_town.directory.group("wiki")

    assert found is not None
    assert found.owners == ("victor", "alice", "adam", "nina")


def test_an_organisation_without_owners_has_none(okta_town: Town) -> None:
    okta_town.server.instead = [("/owners", 404, {}, {"errorCode": "E0000008"})]

    found = okta_town.directory.group("design-tools")

    assert found is not None
    assert found.owners == ()


# The service


def test_a_limit_is_waited_for_by_oktas_clock(okta_town: Town) -> None:
    limit = {"X-Rate-Limit-Reset": str(int(time.time()) + 3)}
    okta_town.server.instead = [("PUT", 429, limit, {"errorCode": "E0000047"})]

    okta_town.directory.add_member(id_of(okta_town, "alice"), group_of(okta_town, "design-tools"))

    assert len(okta_town.slept) == 1
    assert 0.5 <= okta_town.slept[0] <= 4
    assert okta_town.directory.is_member(id_of(okta_town, "alice"), group_of(okta_town, "design-tools"))


def test_nobody_waits_for_a_limit_that_is_far_away(okta_town: Town) -> None:
    limit = {"X-Rate-Limit-Reset": str(int(time.time()) + 50)}
    alice = id_of(okta_town, "alice")
    okta_town.server.instead = [("POST", 429, limit, {"errorCode": "E0000047"})]

    with pytest.raises(DirectoryUnavailable, match="busy"):
        okta_town.directory.set_password(alice, NEW)

    assert okta_town.slept == []
    assert okta_town.signs_in("alice", OLD)


def test_an_account_that_the_token_may_not_see_isnt_one_that_isnt_there(okta_town: Town) -> None:
    okta_town.server.instead = [("GET", *FORBIDDEN)]

    with pytest.raises(DirectoryUnavailable, match="show"):
        okta_town.directory.find("alice")


def test_a_wrong_token_is_a_clear_error(okta_town: Town) -> None:
    wrong = okta_town.settings.model_copy(update={"okta_token": SecretStr("wrong")})

    with pytest.raises(DirectoryUnavailable, match="service account"):
        OktaDirectory(wrong).find("alice")


def test_what_is_missing_is_said_at_the_start(tmp_path: Path) -> None:
    database = Database.at(f"sqlite:///{tmp_path / 'x.sqlite'}")
    settings = DirectorySettings(directory="okta", okta_url="https://x.okta.com", okta_token=SecretStr("t"))
    assert isinstance(directory(settings, database), OktaDirectory)
    with pytest.raises(DirectoryMisconfigured, match="DESKMATE_OKTA_TOKEN"):
        directory(settings.model_copy(update={"okta_token": None}), database)
    for url in (None, "http://x.okta.com", "x.okta.com"):
        with pytest.raises(DirectoryMisconfigured, match="DESKMATE_OKTA_URL"):
            directory(settings.model_copy(update={"okta_url": url}), database)
    database.close()
