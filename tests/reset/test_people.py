import json
from datetime import timedelta
from pathlib import Path

import pytest

from bot.directory.records import PersonRecord, binding_of
from bot.people import FeedInvalid, PersonFeed, load_feed
from tests.reset.desk import NEW_PASSWORD, OLD_PASSWORD, SEED, START, TEAM, ResetDesk

ENTRY = {
    "account": "erin",
    "name": "Erin",
    "emails": ["erin@harbour.example"],
    "team_id": TEAM,
    "slack_user_id": "U0ERIN",
}


def test_the_same_feed_again_changes_nothing_not_even_a_password_changed_since(desk: ResetDesk) -> None:
    feed = [PersonFeed.model_validate(ENTRY | {"password": OLD_PASSWORD, "totp_secret": SEED})]
    assert desk.people.import_feed(feed).added == 1
    desk.directory.set_password(desk.person("erin").directory_id, NEW_PASSWORD)
    before = desk.person("erin").directory_id
    desk.clock.forward(days=1)

    report = desk.people.import_feed(feed)

    assert (report.added, report.changed, report.unchanged, report.failed) == (0, 0, 1, ())
    assert desk.password_is("erin", NEW_PASSWORD)
    assert desk.person("erin").directory_id == before


def test_a_binding_without_a_date_is_as_old_as_its_import(desk: ResetDesk) -> None:
    desk.people.import_feed([PersonFeed.model_validate(ENTRY)])
    desk.clock.forward(days=5)
    desk.people.import_feed([PersonFeed.model_validate(ENTRY)])

    with desk.database.reading() as session:
        binding = binding_of(session, TEAM, "U0ERIN")
        assert binding is not None
        assert binding.bound_at == START


def test_another_slack_user_is_another_binding_and_the_old_one_is_worth_nothing(desk: ResetDesk) -> None:
    desk.client.add("U0OLD", email="erin@harbour.example")
    desk.client.add("U0NEW", email="erin@harbour.example")
    desk.people.import_feed([PersonFeed.model_validate(ENTRY | {"slack_user_id": "U0OLD"})])
    desk.clock.forward(days=9)
    desk.people.import_feed([PersonFeed.model_validate(ENTRY | {"slack_user_id": "U0NEW"})])

    assert desk.identify("U0OLD").refusal is not None
    assert desk.identify("U0NEW").account == "erin"
    with desk.database.reading() as session:
        binding = binding_of(session, TEAM, "U0NEW")
        assert binding is not None
        assert binding.bound_at == START + timedelta(days=9)


def test_new_addresses_start_a_hold(desk: ResetDesk) -> None:
    known = ENTRY | {"totp_secret": SEED, "emails": ["erin@harbour.example", "erin@home.example"]}
    desk.people.import_feed([PersonFeed.model_validate(known)])
    desk.client.add("U0ERIN", email="erin@harbour.example")
    desk.clock.forward(days=9)
    assert desk.reset.check(desk.identify("U0ERIN")) is None

    changed = known | {"emails": ["erin@harbour.example", "new@home.example"]}
    desk.people.import_feed([PersonFeed.model_validate(changed)])

    assert "linked only lately" in str(desk.reset.check(desk.identify("U0ERIN")))


def test_a_seed_is_stored_encrypted(desk: ResetDesk) -> None:
    with desk.database.reading() as session:
        sealed = session.get_one(PersonRecord, "alice").factor_seed

    assert sealed is not None
    assert SEED not in sealed


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([ENTRY, {"name": "Nobody"}], "Entry 2: account: Field required."),
        ([ENTRY | {"emails": ["no address"]}], "Entry 1 (erin): emails: one of them isn't a mail address."),
        ([ENTRY | {"totp_secret": "not base32!"}], "Entry 1 (erin): totp_secret: isn't Base32."),
        ([ENTRY | {"bound_at": "soon"}], "Entry 1 (erin): bound_at: "),
        ([ENTRY, ENTRY], "account: erin stands in 2 entries."),
        ([ENTRY, ENTRY | {"account": "eric"}], "slack_user_id: U0ERIN stands in 2 entries."),
        ({"people": []}, "must be a JSON list of people."),
    ],
)
def test_a_bad_feed_is_refused_in_one_line_that_names_the_entry(tmp_path: Path, entries: object, said: str) -> None:
    file = tmp_path / "people.json"
    file.write_text(json.dumps(entries), "utf-8")

    with pytest.raises(FeedInvalid) as refused:
        load_feed(file)

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_secret_never_stands_in_a_feed_error(tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    file.write_text(json.dumps([ENTRY | {"password": ["canary"], "totp_secret": "canary!"}]), "utf-8")

    with pytest.raises(FeedInvalid) as refused:
        load_feed(file)

    assert "canary" not in str(refused.value)


def test_unknown_fields_are_ignored_and_asking_as_an_account_needs_no_slack(desk: ResetDesk) -> None:
    desk.people.import_feed([PersonFeed.model_validate(ENTRY | {"role": "agent", "groups": ["it"]})])
    desk.client.unreachable = True

    asked = desk.people.by_account("erin")

    assert asked is not None
    assert asked.groups == {"it"}
    assert desk.people.by_account("nobody") is None


def test_an_unreachable_slack_means_no_groups_and_no_action_not_an_exception(desk: ResetDesk) -> None:
    desk.client.unreachable = True

    someone = desk.identify("U0ALICE")

    assert someone.groups == frozenset()
    assert someone.refusal is not None
