"""Unlocking an account needs a second factor, signing out everywhere doesn't; “this wasn't me” undoes either."""

import re
from datetime import timedelta
from functools import partial

import pyotp
import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from bot.web import web_app
from bot.workflows.records import AuditRow
from store import utc_now
from tests.bot.conftest import ALICE
from tests.routines.conftest import DANA, Office

SECRET = "XBATPQQFOXWPZ45J3P4DMPM7L2M2ZKE6"  # Alice's, of the sample people


def pages(office: Office) -> TestClient:
    return TestClient(web_app(workflows=office.desk.workflows, well=lambda: True, slack=None))


def code(office: Office, *, wrong: bool = False) -> str:
    right = pyotp.TOTP(SECRET).at(utc_now() + office.sandbox.workspace.advanced)
    return f"{(int(right) + 1) % 1_000_000:06}" if wrong else right


def lock(office: Office, account: str = "alice") -> str:
    found = office.directory.find(account)
    assert found is not None
    office.directory.lock(found.directory_id)
    return found.directory_id


def link(office: Office) -> str:
    """The path of the page that the card leads to."""
    return next(
        path
        for block in office.card().blocks
        for element in block.get("elements", ())
        if (path := str(element.get("url", "")).partition("//")[2].partition("/")[2])
    )


def until_proving(office: Office) -> str:
    office.until_state("proving")
    office.until(lambda: "url" in str(office.card().blocks))
    return "/" + link(office)


def ask_for_unlock(office: Office) -> str:
    office.says(ALICE, "my account is locked, please unlock it")
    office.until_state("drafted")
    office.press_own("account_unlock_confirm")
    return until_proving(office)


def reasons(office: Office) -> list[str]:
    with office.desk.database.reading() as session:
        return list(session.scalars(select(AuditRow.reason).where(AuditRow.workflow == "account_unlock")))


def not_me(office: Office, subject: str) -> str:
    """The path of the link in the mail to Alice."""
    office.until(lambda: [mail for mail in mails(office) if subject in mail])
    mail = next(mail for mail in mails(office) if subject in mail)
    found = re.search(r"https?://[^/]+(/\S+)", mail)
    assert found is not None
    return found[1]


def mails(office: Office) -> list[str]:
    return [f"{mail.subject}\n{mail.body}" for mail in office.sandbox.workspace.mail if "alice@" in str(mail.to)]


def test_an_account_is_unlocked_after_a_proof_and_not_before(office: Office) -> None:
    directory_id = lock(office)
    page = ask_for_unlock(office)
    web = pages(office)
    assert "Prove that it's you" in web.get(page).text
    assert web.post(page, data={"code": code(office, wrong=True)}).status_code == 422
    assert office.directory.is_locked(directory_id)

    assert web.post(page, data={"code": code(office)}).status_code == 200
    office.until_state("done")
    assert not office.directory.is_locked(directory_id)
    assert web.post(page, data={"code": code(office)}).status_code == 410
    assert {"wanted", "wrong_code", "eligible", "verified"} <= set(reasons(office))
    office.until(lambda: len([mail for mail in mails(office) if "Unlock your account" in mail]) == 2)

    lock(office)
    assert "less than a day ago" in office.ask("unlock my account").text
    assert office.directory.is_locked(directory_id)


def test_three_wrong_codes_close_the_door_for_a_day(office: Office) -> None:
    directory_id = lock(office)
    page, web = ask_for_unlock(office), pages(office)
    statuses = [web.post(page, data={"code": code(office, wrong=True)}).status_code for _ in range(3)]
    assert statuses == [422, 422, 403]
    assert web.post(page, data={"code": code(office)}).status_code == 403
    assert "Too many wrong codes" in office.ask("unlock my account").text
    assert office.directory.is_locked(directory_id)


def test_a_link_that_nobody_used_is_over_after_ten_minutes_and_the_card_makes_a_new_one(office: Office) -> None:
    directory_id = lock(office)
    page, web = ask_for_unlock(office), pages(office)
    office.advance(timedelta(minutes=10) / timedelta(hours=1))
    office.until_state("drafted")
    assert web.post(page, data={"code": code(office)}).status_code == 410
    assert office.directory.is_locked(directory_id)

    office.press_own("account_unlock_confirm")
    assert web.post(until_proving(office), data={"code": code(office)}).status_code == 200
    office.until_state("done")
    assert not office.directory.is_locked(directory_id)


def said_times(office: Office, thread: str, times: int) -> bool:
    return sum("isn't locked" in message.text for message in office.thread(office.dm(), thread)) == times


def test_an_account_that_is_not_locked_is_said_not_to_be(office: Office) -> None:
    office.says(ALICE, "unlock my account")
    office.until_state("drafted")
    thread = office.request().thread_ts
    for times in (1, 2):  # said anew each time it is asked for
        office.press_own("account_unlock_confirm")
        office.until(partial(said_times, office, thread, times))
    assert office.request().state == "drafted"


def test_an_old_proof_is_asked_for_anew(office: Office) -> None:
    directory_id = lock(office)
    page, web = ask_for_unlock(office), pages(office)
    office.directory.unlock(directory_id)
    assert web.post(page, data={"code": code(office)}).status_code == 200
    office.until_state("drafted")  # there is nothing to unlock any more
    office.advance(1)
    lock(office)
    office.press_own("account_unlock_confirm")
    assert web.post(until_proving(office), data={"code": code(office)}).status_code == 200
    office.until_state("done")
    assert not office.directory.is_locked(directory_id)


def test_more_rights_are_given_after_a_proof_and_an_approval_and_are_gone_after_the_hours(office: Office) -> None:
    office.says(ALICE, "I need to be administrator of my laptop for 3 hours")
    assert office.until_state("drafted").wish == {"what": "administrator of my laptop"}
    wish = {"what": "administrator of my laptop", "reason": "a driver"}
    assert office.fill_in(office.card(), **wish, hours="9") == {"hours": "It is given for 8 hours at most."}
    assert office.fill_in(office.card(), **wish, hours="3") is None
    assert pages(office).post(until_proving(office), data={"code": code(office)}).status_code == 200
    office.until_state("asked")
    office.press(DANA, office.card(DANA), "elevated_access_approve")
    office.until_state("done")
    assert "laptop-admins" in office.groups("alice")

    office.advance(2.9)
    assert office.request().state == "done"
    office.advance(0.2)
    office.until_state("ended")
    assert "laptop-admins" not in office.groups("alice")


@pytest.mark.parametrize("pressed", [False, True])
def test_only_pressing_not_me_disables_the_account_and_ends_its_sessions(office: Office, pressed: bool) -> None:
    found = office.directory.find("alice")
    assert found is not None
    office.says(ALICE, "sign me out everywhere")
    office.until_state("drafted")
    office.press_own("sign_out_confirm")
    office.until_state("done")
    ended = office.directory.sessions_ended_at(found.directory_id)
    assert ended is not None

    page, web = not_me(office, "Sign out everywhere"), pages(office)
    assert "disable my account" in web.get(page).text
    if not pressed:
        person = office.directory.get(found.directory_id)
        assert person is not None
        assert person.enabled
        return
    assert web.post(page, data={"pressed": ""}).status_code == 200
    office.until(lambda: not office.directory.get(found.directory_id).enabled)  # type: ignore[union-attr]  # it is there
    office.until(lambda: office.directory.sessions_ended_at(found.directory_id) > ended)  # type: ignore[operator]  # it has a time
    office.until(lambda: [ticket for ticket in office.tickets() if ticket["priority"] == "P1"])
