"""What only Entra has."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.directory.client_credentials import ClientCredentials
from bot.directory.directory import DirectoryRefused, DirectoryUnavailable, PasswordRefused
from bot.directory.entra import EntraDirectory, scope
from bot.directory.http import Api
from bot.directory.register import directory
from bot.directory.settings import DirectoryMisconfigured, DirectorySettings
from store import Database
from tests.directory.entra_server import CLIENT, SECRET, TENANT
from tests.directory.entra_town import EntraTown
from tests.directory.town import DOMAIN, NEW, OLD, group_of, id_of, person_of

ROLES, ELIGIBLE = "roleAssignments", "roleEligibilityScheduleInstances"


def test_an_account_is_a_user_principal_name_in_whatever_case(entra_town: EntraTown) -> None:
    alice = entra_town.directory.find("Alice@HARBOUR.example")

    assert alice is not None
    assert (alice.account, alice.manager) == ("alice@harbour.example", "victor@harbour.example")
    assert entra_town.directory.find("alice") is None


@pytest.mark.parametrize(
    "account", ["mary.o'hara@harbour.example", "mary_home.example#EXT#@x.example", "a+b@x.example"]
)
def test_special_characters_of_an_account_are_only_characters(entra_town: EntraTown, account: str) -> None:
    made = entra_town.server.add_user(account, "Mary", OLD, mail="mary@harbour.example", otherMails=["m@home.example"])

    mary = entra_town.directory.find(account)
    assert mary is not None
    assert (mary.directory_id, mary.account) == (made, account)
    assert mary.emails == ("mary@harbour.example", "m@home.example")


def test_an_address_that_is_there_twice_is_one(entra_town: EntraTown) -> None:
    mails = ["ALICE@harbour.example", "alice@home.example"]
    entra_town.server.user(f"alice{DOMAIN}").properties["otherMails"] = mails

    assert person_of(entra_town, "alice").emails == ("alice@harbour.example", "alice@home.example")


@pytest.mark.parametrize("other", [f"alice{DOMAIN}", "../groups", "x/manager", ""])
def test_only_an_object_id_is_an_id_and_nothing_else_is_even_asked(entra_town: EntraTown, other: str) -> None:
    assert entra_town.directory.get(other) is None
    with pytest.raises(DirectoryUnavailable):
        entra_town.directory.disable(other)
    with pytest.raises(DirectoryUnavailable):
        entra_town.directory.add_member(other, other)
    assert entra_town.server.asked == []


@pytest.mark.parametrize("name", ['Bob\'s "Crew" & Co', "R&D #1 + 50%", "50% ''off''"])
def test_special_characters_of_a_group_are_only_characters(entra_town: EntraTown, name: str) -> None:
    made = entra_town.server.add_group(name, [])

    found = entra_town.directory.group(name)
    assert found is not None
    assert (found.group_id, found.name, found.description) == (made, name, "")


def test_two_groups_of_one_name_are_none(entra_town: EntraTown) -> None:
    entra_town.server.add_group("Design-Tools", [])

    with pytest.raises(DirectoryUnavailable, match="more than one"):
        entra_town.directory.group("design-tools")


def test_a_contact_is_nobodys_manager_and_nobodys_account(entra_town: EntraTown) -> None:
    contact = entra_town.server.add_other("orgContact", "Somebody outside", [])
    entra_town.server.user(f"alice{DOMAIN}").manager = contact

    assert person_of(entra_town, "alice").manager is None


# The way there


def test_one_token_serves_until_it_isnt_taken_any_more(entra_town: EntraTown) -> None:
    server = entra_town.server
    for _ in range(2):
        id_of(entra_town, "alice")
    assert len(server.tokens) == 1

    server.tokens[:] = ["another"]
    id_of(entra_town, "alice")
    assert len(server.tokens) == 2


def test_a_token_is_fetched_anew_shortly_before_its_end(entra_town: EntraTown) -> None:
    server, now = entra_town.server, 1000.0
    credentials = ClientCredentials(
        Api(server.origin, setting="DESKMATE_X_URL", authorization=lambda _: {}),
        f"{TENANT}/oauth2/v2.0/token",
        client_id=CLIENT,
        secret=lambda: SECRET,
        scope="https://graph.microsoft.com/.default",
        clock=lambda: now,
    )
    first = credentials.authorization(False)
    now += server.seconds - 61
    assert credentials.authorization(False) == first
    now += 2
    assert credentials.authorization(False) != first


@pytest.mark.parametrize(
    "wrong",
    [{"entra_client_secret": SecretStr("not the secret")}, {"entra_tenant": "other.example"}, {"entra_client_id": "x"}],
)
def test_a_service_account_that_isnt_let_in_is_a_clear_error(entra_town: EntraTown, wrong: dict[str, Any]) -> None:
    stranger = EntraDirectory(entra_town.settings.model_copy(update=wrong))

    with pytest.raises(DirectoryUnavailable, match="service account") as raised:
        stranger.find("alice")
    assert "secret" not in str(raised.value)


def test_a_busy_graph_is_asked_again(entra_town: EntraTown) -> None:
    alice = id_of(entra_town, "alice")
    entra_town.server.busy = 2
    entra_town.directory.set_password(alice, NEW)

    assert entra_town.signs_in("alice", NEW)


def test_what_is_on_a_later_page_counts(entra_town: EntraTown) -> None:
    alice = id_of(entra_town, "alice")
    made = [entra_town.server.add_group(f"group {number}", [alice]) for number in range(5)]

    found = person_of(entra_town, "alice")
    assert found.groups == {"staff", *(f"group {number}" for number in range(5))}
    assert entra_town.directory.is_member(alice, made[-1])
    entra_town.server.add_group("Domain Admins", [alice])
    assert person_of(entra_town, "alice").privileged


def test_the_token_goes_to_no_other_server(entra_town: EntraTown) -> None:
    for number in range(3):
        entra_town.server.add_group(f"group {number}", [id_of(entra_town, "alice")])
    entra_town.server.linked = "https://elsewhere.example/v1.0"

    assert person_of(entra_town, "alice").privileged  # since the next page wasn't read
    assert "GET /v1.0/https://elsewhere.example/v1.0" in "\n".join(entra_town.server.asked)


def test_what_may_not_be_read_is_unavailable_not_absent(entra_town: EntraTown) -> None:
    alice = id_of(entra_town, "alice")
    entra_town.server.refused = "/users|/groups"

    for ask in (
        lambda: entra_town.directory.find(f"alice{DOMAIN}"),
        lambda: entra_town.directory.get(alice),
        lambda: entra_town.directory.group("staff"),
        lambda: entra_town.directory.password_marker(alice),
    ):
        with pytest.raises(DirectoryUnavailable, match="service account"):
            ask()


def test_after_a_change_a_read_may_tell_how_it_was(entra_town: EntraTown) -> None:
    alice, group = id_of(entra_town, "alice"), group_of(entra_town, "design-tools")
    entra_town.server.lag = 2

    entra_town.directory.add_member(alice, group)
    assert [entra_town.directory.is_member(alice, group) for _ in range(3)] == [False, False, True]
    entra_town.directory.add_member(alice, group)

    entra_town.directory.remove_member(alice, group)
    entra_town.directory.remove_member(alice, group)
    assert [entra_town.directory.is_member(alice, group) for _ in range(3)] == [True, True, False]


# Special rights


def test_a_role_that_is_active_counts(entra_town: EntraTown) -> None:
    entra_town.server.add_other("directoryRole", "User Administrator", [id_of(entra_town, "alice")])

    alice = person_of(entra_town, "alice")
    assert alice.privileged
    assert alice.groups == {"staff"}


def test_a_role_over_a_part_of_the_tenant_counts(entra_town: EntraTown) -> None:
    alice = id_of(entra_town, "alice")
    entra_town.server.assigned.append((alice, "/administrativeUnits/3b2e1a40-0000-4000-8000-000000000001"))

    assert person_of(entra_town, "alice").privileged
    assert not person_of(entra_town, "victor").privileged


def test_a_role_that_could_be_activated_counts(entra_town: EntraTown) -> None:
    entra_town.server.eligible.append((id_of(entra_town, "alice"), "/"))

    assert person_of(entra_town, "alice").privileged
    assert not person_of(entra_town, "victor").privileged


def test_a_group_that_roles_can_be_given_to_counts(entra_town: EntraTown) -> None:
    made = entra_town.server.add_group("Keepers", [id_of(entra_town, "alice")], isAssignableToRole=True)

    assert person_of(entra_town, "alice").privileged
    keepers = entra_town.directory.group("keepers")
    assert keepers is not None
    assert keepers.privileged
    with pytest.raises(DirectoryRefused):
        entra_town.directory.add_member(id_of(entra_town, "victor"), made)


def test_a_group_inside_a_privileged_one_is_privileged(entra_town: EntraTown) -> None:
    night, tools = (entra_town.directory.group(name) for name in ("night-shift", "design-tools"))

    assert night is not None
    assert night.privileged
    assert tools is not None
    assert not tools.privileged


def test_an_administrative_unit_is_no_group_and_no_right(entra_town: EntraTown) -> None:
    entra_town.server.add_other("administrativeUnit", "admins", [id_of(entra_town, "alice")])

    alice = person_of(entra_town, "alice")
    assert not alice.privileged
    assert alice.groups == {"staff"}


@pytest.mark.parametrize("look_up", ["/transitiveMemberOf", ROLES, ELIGIBLE])
def test_who_cant_be_judged_counts_as_privileged(entra_town: EntraTown, look_up: str) -> None:
    entra_town.server.refused = look_up

    alice = person_of(entra_town, "alice")
    assert alice.privileged
    assert alice.groups == frozenset()


def test_a_group_that_cant_be_judged_counts_as_privileged(entra_town: EntraTown) -> None:
    entra_town.server.refused = "/groups/[^/]+/transitiveMemberOf"
    tools = entra_town.directory.group("design-tools")

    assert tools is not None
    assert tools.privileged


def test_whoever_is_in_a_group_that_isnt_shown_counts_as_privileged(entra_town: EntraTown) -> None:
    alice = id_of(entra_town, "alice")
    entra_town.server.unreadable.add(entra_town.server.add_group("Keepers", [alice], isAssignableToRole=True))

    assert person_of(entra_town, "alice").privileged


def test_without_the_licence_for_eligible_roles_nobody_has_one(entra_town: EntraTown) -> None:
    entra_town.server.premium = False

    assert not person_of(entra_town, "alice").privileged
    entra_town.server.refused = ELIGIBLE  # the application isn't allowed to ask: then it isn't known
    assert person_of(entra_town, "alice").privileged


def test_t6_entra_itself_refuses_what_the_desk_forgets_to_check(entra_town: EntraTown) -> None:
    alice = id_of(entra_town, "alice")
    entra_town.server.add_other("directoryRole", "User Administrator", [alice])

    with pytest.raises(PasswordRefused, match="doesn't let me"):
        entra_town.directory.set_password(alice, NEW)
    with pytest.raises(DirectoryRefused):
        entra_town.directory.disable(alice)
    assert entra_town.signs_in("alice", OLD)


# Accounts


def test_the_reason_for_refusing_a_password_is_said_in_words_of_ours(entra_town: EntraTown) -> None:
    ada = entra_town.server.add_user("ada@harbour.example", "Ada", "Old-Rope-77")

    with pytest.raises(PasswordRefused, match="capitals") as raised:
        entra_town.directory.set_password(ada, NEW)
    assert NEW not in str(raised.value)
    assert "comply" not in str(raised.value)
    entra_town.directory.set_password(ada, "Seven Green Lanterns")
    assert entra_town.server.signs_in("ada@harbour.example", "Seven Green Lanterns")


def test_an_account_from_active_directory_isnt_changed_here_and_says_why(entra_town: EntraTown) -> None:
    alice = entra_town.server.user(f"alice{DOMAIN}")
    alice.properties["onPremisesSyncEnabled"] = True

    with pytest.raises(PasswordRefused, match="Active Directory"):
        entra_town.directory.set_password(alice.id, NEW)
    with pytest.raises(DirectoryRefused, match="Active Directory"):
        entra_town.directory.disable(alice.id)


def test_a_lock_after_wrong_passwords_is_neither_seen_nor_lifted(entra_town: EntraTown) -> None:
    alice = id_of(entra_town, "alice")
    entra_town.lock("alice")

    assert not entra_town.directory.is_locked(alice)
    with pytest.raises(DirectoryRefused):
        entra_town.directory.unlock(alice)


# Groups


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ({"groupTypes": ["DynamicMembership"]}, "rule"),
        ({"groupTypes": ["Unified", "DynamicMembership"], "mailEnabled": True}, "rule"),
        ({"onPremisesSyncEnabled": True}, "Active Directory"),
        ({"mailEnabled": True}, "Exchange"),
    ],
)
def test_a_group_that_isnt_changed_here_says_why(entra_town: EntraTown, properties: dict[str, Any], why: str) -> None:
    alice, victor = id_of(entra_town, "alice"), id_of(entra_town, "victor")
    group = entra_town.server.add_group("Crew", [victor], **properties)

    with pytest.raises(DirectoryRefused, match=why):
        entra_town.directory.add_member(alice, group)
    with pytest.raises(DirectoryRefused, match=why):
        entra_town.directory.remove_member(victor, group)
    assert entra_town.directory.is_member(victor, group)


def test_a_group_of_microsoft_365_is_changed_like_any(entra_town: EntraTown) -> None:
    alice = id_of(entra_town, "alice")
    group = entra_town.server.add_group("Crew", [], groupTypes=["Unified"], mailEnabled=True)

    entra_town.directory.add_member(alice, group)
    assert entra_town.directory.is_member(alice, group)


def test_whoever_is_in_a_group_only_through_another_isnt_a_member(entra_town: EntraTown) -> None:
    nina = id_of(entra_town, "nina")

    assert entra_town.directory.is_member(nina, group_of(entra_town, "night-shift"))
    assert not entra_town.directory.is_member(nina, group_of(entra_town, "admins"))


def test_taking_out_somebody_who_is_gone_or_from_a_group_that_is_gone_is_no_success(entra_town: EntraTown) -> None:
    gone = "00000000-0000-4000-8000-000000000000"
    for person, group in ((gone, group_of(entra_town, "design-tools")), (id_of(entra_town, "victor"), gone)):
        with pytest.raises(DirectoryUnavailable):
            entra_town.directory.remove_member(person, group)


# Settings


def test_the_settings_name_it(entra_town: EntraTown, tmp_path: Path) -> None:
    database = Database.at(f"sqlite:///{tmp_path / 'desk.sqlite'}")
    assert isinstance(directory(entra_town.settings, database), EntraDirectory)
    database.close()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"entra_tenant": None}, "DESKMATE_ENTRA_TENANT"),
        ({"entra_tenant": "a/../b"}, "DESKMATE_ENTRA_TENANT"),
        ({"entra_client_id": ""}, "DESKMATE_ENTRA_CLIENT_ID"),
        ({"entra_client_secret": SecretStr("")}, "DESKMATE_ENTRA_CLIENT_SECRET"),
        ({"entra_graph_url": "http://graph.example/v1.0"}, "DESKMATE_ENTRA_GRAPH_URL"),
        ({"entra_login_url": ""}, "DESKMATE_ENTRA_LOGIN_URL"),
    ],
)
def test_a_wrong_setting_is_said_at_the_start(wrong: dict[str, Any], named: str) -> None:
    right = DirectorySettings(entra_tenant=TENANT, entra_client_id=CLIENT, entra_client_secret=SecretStr(SECRET))
    EntraDirectory(right)

    with pytest.raises(DirectoryMisconfigured, match=named):
        EntraDirectory(right.model_copy(update=wrong))


def test_a_national_cloud_has_a_scope_of_its_own() -> None:
    assert scope("https://graph.microsoft.com/v1.0") == "https://graph.microsoft.com/.default"
    assert scope("https://graph.microsoft.us/v1.0") == "https://graph.microsoft.us/.default"
