"""Z2: ids of what is somebody else's, tried one after the other, are as unknown as ids of nothing."""

from itertools import product

from bot.once.links import Links
from bot.ticket_texts import NOT_YOURS, list_lines, status_line
from store import Database, utc_now
from tickets import opening
from tickets.numbers import Kind

USERS = ("U0ALICE", "U0BOB", "U0CAROL", "U0DANA", "U0MALLORY")
EACH = 8
"""Tickets of each."""
BEYOND = 20
"""Numbers that nobody has yet."""


def test_each_ticket_number_of_others_is_answered_as_one_that_doesnt_exist(database: Database) -> None:
    owners: dict[str, str] = {}
    with database.transaction() as session:
        for turn, user in product(range(EACH), USERS):
            kind = Kind.INCIDENT if turn % 2 else Kind.SERVICE_REQUEST
            ticket = opening.open_ticket(
                session,
                kind=kind,
                title=f"secret of {user}",
                description="nobody else's business",
                requester=user,
                requester_account=None,
                conversation=None,
                actor="deskmate",
                now=utc_now(),
            )
            owners[ticket.number] = user
    numbers = [f"{prefix}{number:07}" for prefix in ("INC", "REQ") for number in range(len(owners) + BEYOND)]
    assert set(owners) <= set(numbers)
    with database.reading() as session:
        for user, number in product(USERS, numbers):
            said = status_line(session, number, user)
            if owners.get(number) == user:
                assert f"secret of {user}" in said
            elif number in owners:
                assert said == NOT_YOURS.format(asked=number)
            else:
                assert "secret of" not in said or f"secret of {user}" in said
        for user in USERS:
            others = [f"secret of {other}" for other in USERS if other != user]
            assert not any(secret in list_lines(session, user) for secret in others)


def test_a_link_is_good_for_the_request_and_the_purpose_that_it_was_made_for() -> None:
    links = Links(secret_key="a secret key for tests, long enough", public_url="https://desk.example")
    requests, purposes = [f"{number:032x}" for number in range(12)], ("reset", "notmegroupjoin", "provegroupjoin")
    tokens = {
        (purpose, request): links.url(purpose, request).rpartition("/")[2]
        for purpose, request in product(purposes, requests)
    }
    for (made_for, request), purpose in product(tokens, purposes):
        token = tokens[made_for, request]
        assert links.read(purpose, token) == (request if purpose == made_for else None)
        for other in requests:
            if other != request and request in token:
                assert links.read(purpose, token.replace(request, other)) is None
        for place in range(0, len(token), 5):
            changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
            assert links.read(made_for, changed) in (None, request)
