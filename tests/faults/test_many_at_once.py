"""Two messages at once in one thread keep their order; fifty people at once are all answered."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import Sandbox
from tests.bot.conftest import ALICE, Place
from tests.filled import SAMPLE

FIFTY = [f"U0X{number:02}" for number in range(50)]
FIRST, SECOND = "How do I connect to the VPN from home?", "how do I add a printer?"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """The sample people, and fifty more that the feed doesn't know."""
    people = json.loads((SAMPLE / "people.json").read_text())
    more = [{"account": user.lower(), "name": f"Employee {user}", "slack_user_id": user} for user in FIFTY]
    (tmp_path / "people.json").write_text(json.dumps(people + more))
    box = Sandbox(port=0, people=tmp_path / "people.json", redelivery_scale=0.02)
    box.start()
    yield box
    box.stop()


@pytest.mark.parametrize("repetitions", [5, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_two_messages_at_once_are_answered_in_order(place: Place, repetitions: int) -> None:
    for _ in range(repetitions):
        root = place.says(ALICE, FIRST)
        place.says(ALICE, SECOND, thread=root)
        place.reply(root, number=2)

        first, second = (said(message) for message in place.replies(place.dm(), root))
        assert ("Northgate" in first, "printer" in second) == (True, True)


def test_fifty_people_at_once_are_all_answered(place: Place) -> None:
    written = {user: place.says(user, SECOND if number % 2 else FIRST) for number, user in enumerate(FIFTY)}

    for number, (user, ts) in enumerate(written.items()):
        reply = said(place.reply(ts, channel=place.dm(user)))
        assert ("printer" if number % 2 else "Northgate") in reply
    place.settled()
    assert [len(place.replies(place.dm(user), ts)) for user, ts in written.items()] == [1] * len(FIFTY)


def said(message: Any) -> str:
    return f"{message.text} {message.blocks}"
