"""What only SCIM has: servers differ in what they filter, show and page, and none may be believed too much."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlencode

import pytest
from pydantic import SecretStr

from bot.directory.directory import DirectoryRefused, DirectoryUnavailable, Person
from bot.directory.http import Conflict, Json
from bot.directory.register import directory
from bot.directory.scim import DEEPEST_NESTING, ScimDirectory, emails, holds, is_active
from bot.directory.settings import DirectoryMisconfigured, DirectorySettings
from store import Database
from tests.directory.scim_town import Answer, Asked, ScimTown
from tests.directory.town import NEW, group_of, id_of


def query(asked: Asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(asked["QUERY_STRING"]).items()}


def person(town: ScimTown, account: str) -> Person:
    found = town.directory.find(account)
    assert found is not None
    return found


def patches(town: ScimTown) -> list[Asked]:
    return [asked for asked in town.watched.asked if asked["REQUEST_METHOD"] == "PATCH"]


def refuses(wanted: str) -> Callable[[Asked], Answer | None]:
    return lambda asked: (400, {"scimType": "invalidFilter"}) if wanted in query(asked).get("filter", "") else None


# Names


def test_case_makes_no_other_name_and_quotes_end_none(scim_town: ScimTown) -> None:
    strange = 'o"neil \\ sons" or userName pr or userName eq "'
    scim_town.add_person(strange)

    assert person(scim_town, "ALICE").account == "alice"
    assert person(scim_town, strange).account == strange
    assert scim_town.directory.find('x" or userName pr or userName eq "x') is None


def test_two_groups_of_one_name_are_none(scim_town: ScimTown) -> None:
    scim_town.add_group("Design-Tools")

    with pytest.raises(DirectoryUnavailable, match="more than one"):
        scim_town.directory.group("design-tools")


@pytest.mark.parametrize("directory_id", ["", ".", "..", "../Users", "a/b", "?", "%2e%2e"])
def test_an_id_is_one_part_of_a_path(scim_town: ScimTown, directory_id: str) -> None:
    assert scim_town.directory.get(directory_id) is None


def test_a_wrong_base_doesnt_make_everybody_unknown(scim_town: ScimTown) -> None:
    alice = id_of(scim_town, "alice")
    elsewhere = scim_town.settings.model_copy(update={"scim_url": f"{scim_town.settings.scim_url}/x"})

    with pytest.raises(DirectoryUnavailable):
        ScimDirectory(elsewhere).get(alice)


def test_another_account_than_the_one_asked_for_is_no_answer(scim_town: ScimTown) -> None:
    alice, victor = id_of(scim_town, "alice"), id_of(scim_town, "victor")
    scim_town.watched.instead = lambda asked: (200, {"id": victor, "userName": "victor"})

    with pytest.raises(DirectoryUnavailable, match="something else"):
        scim_town.directory.get(alice)


# Which groups somebody is in


def test_all_pages_are_read(scim_town: ScimTown) -> None:
    alice = id_of(scim_town, "alice")
    for number in range(5):
        scim_town.add_group(f"club {number}", User=[alice])
    scim_town.watched.asked.clear()

    assert person(scim_town, "alice").groups == {"staff", *(f"club {number}" for number in range(5))}
    starts = [query(asked).get("startIndex") for asked in scim_town.watched.asked if alice in str(query(asked))]
    assert starts == ["1", "3", "5"]


@pytest.mark.parametrize(
    "page",
    [
        {"totalResults": 3, "Resources": []},
        {"totalResults": 3},
        {"Resources": []},
        {"totalResults": "1", "Resources": [{}]},
        {"totalResults": 1, "Resources": "all"},
        {"totalResults": 2, "Resources": [{"id": "1"}, {"id": "1"}]},
        {"totalResults": 1, "Resources": [{"id": "1"}, {"id": "2"}]},
    ],
)
def test_a_list_that_cant_be_whole_is_no_list_and_who_cant_be_judged_is_privileged(
    scim_town: ScimTown, page: Json
) -> None:
    scim_town.watched.instead = lambda asked: (200, page) if "Groups" in asked["PATH_INFO"] else None

    alice = person(scim_town, "alice")
    assert (alice.privileged, alice.groups) == (True, frozenset())
    with pytest.raises(DirectoryUnavailable):
        scim_town.directory.group("design-tools")


def test_a_server_that_always_gives_the_first_page_is_noticed(scim_town: ScimTown) -> None:
    def always_first(asked: Asked) -> None:
        asked["QUERY_STRING"] = urlencode(query(asked) | {"startIndex": "1"})

    scim_town.add_group("club", User=[id_of(scim_town, "alice")])
    scim_town.add_group("choir", User=[id_of(scim_town, "alice")])
    scim_town.watched.instead = always_first

    assert person(scim_town, "alice").privileged


def test_a_server_that_doesnt_filter_by_members_is_asked_for_all_groups_once(scim_town: ScimTown) -> None:
    scim_town.watched.instead = refuses("members.value")

    nina = person(scim_town, "nina")
    assert (nina.groups, nina.privileged) == (frozenset({"staff", "night-shift", "inner", "admins"}), True)
    alice = person(scim_town, "alice")
    assert (alice.groups, alice.privileged) == (frozenset({"staff"}), False)
    found = scim_town.directory.group("night-shift")
    assert found is not None
    assert found.privileged


def test_a_server_that_ignores_filters_gives_nobody_a_group_and_hides_no_administrator(scim_town: ScimTown) -> None:
    def ignores(asked: Asked) -> None:
        asked["QUERY_STRING"] = urlencode({name: value for name, value in query(asked).items() if name != "filter"})

    scim_town.watched.instead = ignores

    alice = person(scim_town, "alice")
    assert (alice.account, alice.groups, alice.privileged) == ("alice", frozenset(), True)
    assert scim_town.directory.find("nobody") is None


@pytest.mark.parametrize("filters", [True, False])
def test_members_that_a_list_leaves_out_are_read_one_by_one(scim_town: ScimTown, filters: bool) -> None:
    def hides(asked: Asked) -> Answer | None:
        if asked["PATH_INFO"].endswith("/Groups"):
            asked["QUERY_STRING"] = urlencode(query(asked) | {"excludedAttributes": "members"})
        return None if filters else refuses("members.value")(asked)

    scim_town.watched.instead = hides

    assert person(scim_town, "nina").privileged
    assert not person(scim_town, "alice").privileged
    assert person(scim_town, "alice").groups == {"staff"}


def test_what_the_account_itself_says_of_its_groups_counts_too(scim_town: ScimTown) -> None:
    victor, inner = id_of(scim_town, "victor"), group_of(scim_town, "inner")
    said = {"id": victor, "userName": "victor", "groups": [{"value": inner}, {"value": "by-rule", "display": "Sales"}]}
    scim_town.watched.instead = lambda asked: (200, said) if asked["PATH_INFO"].endswith(victor) else None

    found = scim_town.directory.get(victor)
    assert found is not None
    assert found.groups == {"staff", "design-tools", "inner", "admins", "Sales"}
    assert found.privileged


def test_groups_in_a_ring_end_and_too_deep_ones_are_privileged(scim_town: ScimTown) -> None:
    alice = id_of(scim_town, "alice")
    one = scim_town.add_group("ring", User=[alice])
    other = scim_town.add_group("other half", Group=[one])
    operation = {"op": "add", "path": "members", "value": [{"value": other, "type": "Group"}]}
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}
    assert scim_town.ask("PATCH", f"Groups/{one}", body).status_code in (200, 204)
    assert person(scim_town, "alice").groups == {"staff", "ring", "other half"}
    assert not person(scim_town, "alice").privileged

    deep = other
    for number in range(DEEPEST_NESTING):
        deep = scim_town.add_group(f"level {number}", Group=[deep])
    assert person(scim_town, "alice").privileged
    found = scim_town.directory.group("ring")
    assert found is not None
    assert found.privileged


# Changes


def test_a_change_names_the_version_that_was_read_and_is_read_again_when_that_has_moved(scim_town: ScimTown) -> None:
    alice, group = id_of(scim_town, "alice"), group_of(scim_town, "design-tools")
    moved: Iterator[Answer] = iter([(412, {}), (409, {})])
    scim_town.watched.instead = lambda asked: next(moved, None) if asked["REQUEST_METHOD"] == "PATCH" else None

    scim_town.directory.add_member(alice, group)

    assert scim_town.directory.is_member(alice, group)
    assert len(patches(scim_town)) == 3
    assert all(asked["HTTP_IF_MATCH"].startswith('W/"') for asked in patches(scim_town))
    assert {asked["CONTENT_TYPE"] for asked in patches(scim_town)} == {"application/scim+json"}


def test_a_change_that_never_fits_is_given_up_and_one_that_somebody_else_made_is_done(scim_town: ScimTown) -> None:
    alice, group = id_of(scim_town, "alice"), group_of(scim_town, "design-tools")
    scim_town.watched.instead = lambda asked: (412, {}) if asked["REQUEST_METHOD"] == "PATCH" else None
    with pytest.raises(Conflict):
        scim_town.directory.add_member(alice, group)

    def somebody_else(asked: Asked) -> Answer | None:
        if asked["REQUEST_METHOD"] != "PATCH":
            return None
        scim_town.watched.instead = lambda asked: None
        scim_town.directory.add_member(alice, group)
        scim_town.watched.asked.clear()
        return 412, {}

    scim_town.watched.instead = somebody_else
    scim_town.directory.add_member(alice, group)
    assert len(patches(scim_town)) == 1


def test_without_versions_there_is_no_condition(scim_town: ScimTown) -> None:
    alice, group = id_of(scim_town, "alice"), group_of(scim_town, "design-tools")
    bare = {"id": group, "displayName": "design-tools"}
    scim_town.watched.instead = lambda asked: (
        (200, bare) if asked["REQUEST_METHOD"] == "GET" and asked["PATH_INFO"].endswith(group) else None
    )

    scim_town.directory.add_member(alice, group)
    assert ["HTTP_IF_MATCH" in asked for asked in patches(scim_town)] == [False]


def test_nobody_is_put_into_a_group_and_nothing_is_done_twice(scim_town: ScimTown) -> None:
    alice, staff = id_of(scim_town, "alice"), group_of(scim_town, "staff")
    with pytest.raises(DirectoryUnavailable, match="any more"):
        scim_town.directory.add_member("gone", staff)
    scim_town.directory.add_member(alice, staff)
    scim_town.directory.remove_member(alice, group_of(scim_town, "design-tools"))

    assert not patches(scim_town)


def test_a_change_that_was_taken_but_doesnt_show_isnt_taken_for_done(scim_town: ScimTown) -> None:
    alice = id_of(scim_town, "alice")
    scim_town.watched.instead = lambda asked: (200, {}) if asked["REQUEST_METHOD"] == "PATCH" else None

    with pytest.raises(DirectoryUnavailable, match="still says"):
        scim_town.directory.disable(alice)


def test_what_the_server_forbids_is_refused(scim_town: ScimTown) -> None:
    alice, group = id_of(scim_town, "alice"), group_of(scim_town, "design-tools")
    scim_town.watched.instead = lambda asked: (403, {}) if asked["REQUEST_METHOD"] == "PATCH" else None

    with pytest.raises(DirectoryRefused):
        scim_town.directory.disable(alice)
    with pytest.raises(DirectoryRefused):
        scim_town.directory.add_member(alice, group)


def test_what_scim_cant_do_isnt_even_asked(scim_town: ScimTown) -> None:
    alice = id_of(scim_town, "alice")
    scim_town.watched.asked.clear()
    for call in (
        lambda: scim_town.directory.set_password(alice, NEW),
        lambda: scim_town.directory.password_marker(alice),
        lambda: scim_town.directory.check_password(alice, NEW),
        lambda: scim_town.directory.unlock(alice),
        lambda: scim_town.directory.end_sessions(alice),
    ):
        with pytest.raises(DirectoryRefused):
            call()
    assert not scim_town.watched.asked


# Reading what servers write


def test_the_primary_address_is_first_and_each_is_there_once() -> None:
    listed = [{"value": "a@x"}, {"value": "b@x", "primary": True}, {"value": "a@x"}, {"display": "c"}, "d@x"]

    assert emails({"emails": listed}) == ("b@x", "a@x")
    assert emails({"emails": None}) == ()


def test_a_members_type_is_believed_where_it_is_said() -> None:
    group = {"members": [{"value": "1", "type": "Group"}, {"value": "2"}, {"value": 3}, "4"]}

    assert [holds(group, "User", member) for member in "1234"] == [False, True, False, False]
    assert [holds(group, "Group", member) for member in "12"] == [True, True]


def test_only_who_is_said_to_be_inactive_is() -> None:
    assert [is_active({"active": value}) for value in (True, False, None)] == [True, False, True]
    assert is_active({})


# Settings


def test_the_settings_choose_it(scim_town: ScimTown, database: Database) -> None:
    found = directory(scim_town.settings, database)

    assert isinstance(found, ScimDirectory)
    assert found.find("alice") is not None


def test_a_token_that_isnt_taken_is_a_clear_error(scim_town: ScimTown) -> None:
    wrong = scim_town.settings.model_copy(update={"scim_token": SecretStr("wrong")})

    with pytest.raises(DirectoryUnavailable, match="service account"):
        ScimDirectory(wrong).find("alice")


@pytest.mark.parametrize("url", [None, "", "ldap://host", "http://directory.example", "https://"])
def test_a_wrong_url_is_said_at_the_start(url: str | None) -> None:
    with pytest.raises(DirectoryMisconfigured, match="DESKMATE_SCIM_URL"):
        ScimDirectory(DirectorySettings(scim_url=url, scim_token=SecretStr("x")))


@pytest.mark.parametrize("token", [None, "", " ", "two words", "line\nbreak", "schlüssel"])
def test_a_wrong_token_is_said_at_the_start(token: str | None) -> None:
    settings = DirectorySettings(
        scim_url="https://directory.example/v2", scim_token=SecretStr(token) if token is not None else None
    )

    with pytest.raises(DirectoryMisconfigured, match="DESKMATE_SCIM_TOKEN"):
        ScimDirectory(settings)
