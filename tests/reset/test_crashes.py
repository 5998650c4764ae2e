"""What a process that died, or a directory that didn't answer, leaves behind is settled by reading back."""

from typing import Any

import pytest

from bot.directory.directory import DirectoryUnavailable
from bot.factors.second_factor import Verdict
from bot.workflows import repudiation
from tests.reset.desk import NEW_PASSWORD, OLD_PASSWORD, ResetDesk


def begun(desk: ResetDesk) -> str:
    """A request whose process dies right after the record that a change begins; its id."""
    request = desk.linked("U0ALICE")
    marker = desk.directory.password_marker(desk.person("alice").directory_id)
    verdict = Verdict("right", "code", mark=int(desk.clock().timestamp()) // 30)
    attempt = desk.reset.change._begin(request, verdict, marker)
    assert attempt == 1
    return request


def test_a_crash_after_the_change_is_settled_as_changed(desk: ResetDesk) -> None:
    request = begun(desk)
    desk.directory.set_password(desk.person("alice").directory_id, NEW_PASSWORD)
    desk.clock.forward(seconds=31)

    desk.reset.resume()
    desk.finished(request)

    assert desk.request(request).state == "changed"
    assert desk.request(request).ticket is not None
    assert any("was changed" in text for text in desk.said())


def test_a_crash_before_the_change_is_settled_as_unchanged_and_the_employee_may_start_again(desk: ResetDesk) -> None:
    request = begun(desk)
    desk.clock.forward(seconds=31)

    desk.reset.resume()
    desk.finished(request)

    assert desk.request(request).state == "unchanged"
    assert desk.request(request).ticket is None
    assert any("*not* changed" in text for text in desk.said())
    path = desk.link(desk.linked("U0ALICE"))
    desk.clock.forward(seconds=30)
    assert desk.submit(path)[0] == 200


def test_a_directory_that_changes_and_then_says_nothing_is_asked_again(
    desk: ResetDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = desk.link(request := desk.linked("U0ALICE"))
    real = desk.directory.set_password

    def applies_and_times_out(*arguments: Any) -> None:
        real(*arguments)
        raise DirectoryUnavailable("timed out")

    monkeypatch.setattr(desk.directory, "set_password", applies_and_times_out)
    status, said = desk.submit(path)
    desk.finished(request)

    assert status == 202, said
    assert desk.password_is("alice", NEW_PASSWORD)
    assert desk.request(request).state == "changed"


def test_a_directory_that_is_away_costs_nothing(desk: ResetDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.link(desk.linked("U0ALICE"))

    def away(*arguments: Any) -> str:
        raise DirectoryUnavailable("away")

    with monkeypatch.context() as outage:
        outage.setattr(desk.directory, "password_marker", away)
        assert "Try again in a minute" in desk.submit(path)[1]

    assert desk.password_is("alice", OLD_PASSWORD)
    assert desk.submit(path)[0] == 200


def test_a_change_that_shows_itself_late_corrects_the_record(desk: ResetDesk) -> None:
    request = begun(desk)
    desk.clock.forward(seconds=31)
    desk.reset.resume()
    desk.finished(request)

    desk.reset.change.settle(request, 1, "changed")
    desk.durable.wait(f"reset:{request}:1:late", 20)

    assert desk.request(request).state == "changed"
    assert any("was changed" in text for text in desk.said())


def test_two_submissions_at_once_change_the_password_once(desk: ResetDesk) -> None:
    from concurrent.futures import ThreadPoolExecutor

    path = desk.link(desk.linked("U0ALICE"))
    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(lambda number: desk.submit(path, new=f"{NEW_PASSWORD} {number}")[0], range(6)))

    assert statuses.count(200) == 1
    assert desk.directory.password_marker(desk.person("alice").directory_id) == "2"


def not_me(desk: ResetDesk, request: str) -> str:
    desk.durable.wait(f"reset:{request}:requested", 20)
    return next(text for text in desk.mailbox.texts() if "/once/notme-" in text).split("desk.example")[1].split()[0]


@pytest.fixture
def pressed(desk: ResetDesk, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A request whose owner pressed "this wasn't me" just before the process died, and the link."""
    request = desk.offered("U0ALICE")
    link = not_me(desk, request)
    with monkeypatch.context() as dying:
        dying.setattr(desk.durable, "start", lambda *arguments, **named: None)
        desk.web.post(link, data={"sure": "yes"})
    assert desk.request(request).repudiated_at is not None
    assert desk.person("alice").enabled
    return request, link


def test_a_not_me_whose_process_died_is_carried_out_at_the_next_start(
    desk: ResetDesk, pressed: tuple[str, str]
) -> None:
    request, _ = pressed
    desk.reset.resume()
    desk.durable.wait(f"reset:{request}:notme", 20)

    assert not desk.person("alice").enabled
    assert desk.request(request).incident is not None


def test_a_not_me_whose_process_died_is_carried_out_when_the_link_is_opened_again(
    desk: ResetDesk, pressed: tuple[str, str]
) -> None:
    request, link = pressed
    desk.web.get(link)
    desk.durable.wait(f"reset:{request}:notme", 20)

    assert not desk.person("alice").enabled


def test_people_are_told_of_a_not_me_though_the_directory_does_not_disable_the_account(
    desk: ResetDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*arguments: Any) -> None:
        raise PermissionError("insufficient rights")

    request = desk.offered("U0ALICE")
    link = not_me(desk, request)
    monkeypatch.setattr(type(desk.directory), "disable", refuses)
    monkeypatch.setattr(repudiation, "RETRIES", 1)

    desk.web.post(link, data={"sure": "yes"})
    desk.durable.wait(f"reset:{request}:notme", 30)

    told = [text for _, text in desk.alerts if str(desk.request(request).incident) in text]
    assert "NOT disabled yet" in told[0]
    assert "could NOT be disabled" in told[-1]
    assert desk.identify("U0ALICE").refusal is not None
