"""The people of the demo."""

import json
from pathlib import Path

import pyotp

import deskmate
from bot.directory.feed import PersonFeed, load_feed

PEOPLE = Path(deskmate.__file__).parent / "sample" / "people.json"


def people() -> dict[str, PersonFeed]:
    return {person.account: person for person in load_feed(PEOPLE)}


def test_the_feed_can_be_imported() -> None:
    assert sorted(people()) == ["alice", "bob", "carol", "dana", "gus", "priya"]


def test_everybody_is_bound_to_one_slack_account_of_the_sandbox() -> None:
    assert {person.slack_user_id for person in people().values()} == {
        "U0ALICE",
        "U0BOB",
        "U0CAROL",
        "U0DANA",
        "U0GUS",
        "U0PRIYA",
    }
    assert {person.team_id for person in people().values()} == {"T0SANDBOX"}
    assert {person.bound_at.isoformat() for person in people().values() if person.bound_at} == {
        "2026-01-15T09:00:00+00:00"
    }


def test_everybody_but_the_guest_has_a_second_factor_of_their_own_and_two_addresses() -> None:
    staff = [person for person in people().values() if person.account != "gus"]
    seeds = [person.totp_secret or "" for person in staff]

    assert len(set(seeds)) == len(staff)
    assert all(len(pyotp.TOTP(seed).now()) == 6 for seed in seeds)
    assert all(len(person.emails) >= 2 for person in staff)
    assert people()["gus"].totp_secret is None


def test_only_the_domain_administrator_is_privileged() -> None:
    assert [person.account for person in people().values() if person.privileged] == ["priya"]


def test_managers_exist_and_are_managers() -> None:
    known = people()

    assert all("managers" in known[person.manager].groups for person in known.values() if person.manager)


def test_the_sandbox_learns_roles_and_who_is_a_guest() -> None:
    entries = {entry["account"]: entry for entry in json.loads(PEOPLE.read_text("utf-8"))}

    assert {entry["role"] for entry in entries.values()} == {"employee", "agent", "knowledge manager"}
    assert [account for account, entry in entries.items() if entry.get("is_restricted")] == ["gus"]
