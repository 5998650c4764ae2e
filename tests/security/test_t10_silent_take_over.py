"""T10. Nothing is changed in secret: two addresses are told beside Slack, whichever channel fails; “not me” acts."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from bot.outcomes import Declined, InProgress
from tests.reset.desk import OLD_PASSWORD, ResetDesk

OWN = ("alice@harbour.example", "alice@home.example")


def changed(desk: ResetDesk) -> str:
    request = desk.linked("U0ALICE")
    assert desk.submit(desk.link(request))[0] == 200
    desk.finished(request)
    return request


def test_t10_every_address_and_the_manager_are_told_of_the_wish_and_of_the_change(desk: ResetDesk) -> None:
    changed(desk)
    for address in OWN:
        told = " ".join(desk.mailbox.texts(address))
        assert "notme-" in told
        assert len(desk.mailbox.texts(address)) == 2
    assert desk.mailbox.texts("victor@harbour.example")
    assert any("password" in text for text in desk.said())


@pytest.mark.parametrize("lost", ["slack", *OWN])
def test_t10_whichever_channel_is_lost_two_others_tell(
    desk: ResetDesk, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = desk.linked("U0ALICE")
    path = desk.link(request)
    if lost == "slack":
        monkeypatch.setattr(desk.client, "api_call", without_posting(desk.client.api_call))
    said = len(desk.said())
    assert desk.submit(path)[0] == 200
    for address in OWN:
        if address != lost:
            until(desk, address)
    if lost != "slack":
        desk.finished(request)
        assert len(desk.said()) > said


def without_posting(real: Callable[..., Any]) -> Callable[..., Any]:
    def call(api_method: str, **arguments: Any) -> Any:
        if api_method == "chat.postMessage":
            raise OSError("the network is down")
        return real(api_method, **arguments)

    return call


def until(desk: ResetDesk, address: str) -> None:
    deadline = time.monotonic() + 60
    while len(desk.mailbox.texts(address)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("emails", [(), ("alice@harbour.example",)])
def test_t10_who_cant_be_told_twice_gets_no_reset(desk: ResetDesk, emails: tuple[str, ...]) -> None:
    desk.add("lena", "U0LENA", emails=emails, manager=None)
    assert isinstance(desk.ask("U0LENA"), Declined)


def test_t10_not_me_disables_the_account_and_ends_its_sessions(desk: ResetDesk) -> None:
    changed(desk)
    person = desk.person("alice")
    (mail,) = (text for text in desk.mailbox.texts(OWN[0]) if "was changed" in text)
    path = "/once/notme-" + mail.partition("/once/notme-")[2].split()[0]
    before = desk.directory.sessions_ended_at(person.directory_id)

    assert desk.web.post(path, data={"pressed": ""}).status_code == 200
    desk.durable.wait(f"reset:{path.removeprefix('/once/notme-')[:32]}:notme", 60)

    assert not desk.person("alice").enabled
    ended = desk.directory.sessions_ended_at(person.directory_id)
    assert ended is not None
    assert before is None or ended > before
    assert isinstance(desk.ask("U0ALICE"), Declined)


def test_t10_a_wish_alone_tells_before_anything_is_changed(desk: ResetDesk) -> None:
    assert isinstance(desk.ask("U0ALICE"), InProgress)
    assert desk.password_is("alice", OLD_PASSWORD)
