import pytest

from bot.outcomes import Declined
from bot.workflows import audit
from tests.reset.desk import NEW_PASSWORD, OLD_PASSWORD, START, ResetDesk
from tickets import queries


def test_a_wish_ends_in_a_changed_password_a_ticket_and_news_to_everybody_concerned(desk: ResetDesk) -> None:
    request = desk.linked("U0ALICE")

    page = desk.web.get(desk.link(request)).text
    for words in ("Authenticator code", "New password", "Repeat new password", "Change password", "alice"):
        assert words in page
    status, said = desk.submit(desk.link(request))
    desk.finished(request)

    assert status == 200, said
    assert desk.password_is("alice", NEW_PASSWORD)
    assert not desk.password_is("alice", OLD_PASSWORD)
    kept = desk.request(request)
    assert kept.state == "changed"
    assert kept.ticket is not None
    with desk.database.reading() as session:
        ticket = queries.find(session, kept.ticket)
        assert (ticket.kind.value, ticket.state.value) == ("service_request", "resolved")
    assert any(kept.ticket in text for text in desk.said())
    for address in ("alice@harbour.example", "alice@home.example"):
        assert len(desk.mailbox.texts(address)) == 2, address
        assert all("/once/notme-" in text for text in desk.mailbox.texts(address))
    assert len(desk.mailbox.texts("victor@harbour.example")) == 2
    assert desk.reasons()[-3:] == ["eligible", "eligible", "changed"]
    with desk.database.reading() as session:
        assert audit.first_broken(session) is None


def test_a_wrong_form_is_explained_and_costs_neither_link_nor_code(desk: ResetDesk) -> None:
    path = desk.link(desk.linked("U0ALICE"))

    assert "aren't the same" in desk.submit(path, again="something else here")[1].replace("&#39;", "'")
    assert "at least 12" in desk.submit(path, new="too short")[1]
    assert "account name" in desk.submit(path, new="my name is Alice, hello")[1]
    assert "six digits" in desk.submit(path, code="12345")[1]
    assert "have already" in desk.submit(path, new=OLD_PASSWORD)[1]
    assert desk.submit(path)[0] == 200


def test_cancel_leaves_everything_as_it_was_and_closes_the_card(desk: ResetDesk) -> None:
    request = desk.offered("U0ALICE")

    desk.click("U0ALICE", request, "reset_cancel")
    desk.click("U0ALICE", request)

    assert desk.request(request).state == "cancelled"
    assert any("stays as it is" in text for text in desk.said())
    assert any("That was cancelled" in text for text in desk.said())


def test_a_second_click_says_where_the_link_is_and_makes_no_other(desk: ResetDesk) -> None:
    request = desk.linked("U0ALICE")
    desk.click("U0ALICE", request)

    assert sum("/once/reset-" in text for text in desk.said()) == 1
    assert any("below the card" in text for text in desk.said())


def test_asking_again_makes_the_earlier_link_useless(desk: ResetDesk) -> None:
    first = desk.link(desk.linked("U0ALICE"))
    desk.linked("U0ALICE")

    status, said = desk.submit(first)

    assert status == 410
    assert "newest link" in said


def test_the_same_key_again_gives_the_same_request_and_records_nothing(desk: ResetDesk) -> None:
    employee = desk.identify("U0ALICE")

    first = desk.start(employee, None, key="T0TEST:D1:1.1")
    rows = len(desk.audit())
    again = desk.start(employee, None, key="T0TEST:D1:1.1")

    assert first == again
    assert len(desk.audit()) == rows


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"bound_at": START}, "hold"),
        ({"privileged": True}, "privileged"),
        ({"groups": ("staff", "Admins")}, "privileged"),
        ({"emails": ()}, "addresses"),
        ({"emails": ("dora@harbour.example",)}, "addresses"),
        ({"totp_secret": None}, "factor"),
    ],
)
def test_a_refusal_says_why_and_is_in_the_audit_trail(desk: ResetDesk, fields: dict[str, object], reason: str) -> None:
    desk.add("dora", "U0DORA", **fields)

    outcome = desk.ask("U0DORA")

    assert isinstance(outcome, Declined)
    assert "human" in outcome.text
    assert [(row.decision, row.reason) for row in desk.audit()] == [("denied", reason)]


def test_the_hold_ends_72_hours_after_the_binding(desk: ResetDesk) -> None:
    desk.add("dora", "U0DORA", bound_at=START)
    desk.clock.forward(hours=71, minutes=59)
    assert isinstance(desk.ask("U0DORA"), Declined)

    desk.clock.forward(minutes=1)

    assert not isinstance(desk.ask("U0DORA"), Declined)


def test_an_agent_of_the_desk_gets_no_automatic_reset(desk: ResetDesk) -> None:
    desk.agents.add("U0ALICE")

    assert isinstance(desk.ask("U0ALICE"), Declined)


def test_three_wrong_codes_lock_for_a_day_also_for_a_new_request(desk: ResetDesk) -> None:
    request = desk.linked("U0ALICE")
    path = desk.link(request)
    wrong = str((int(desk.code()) + 1) % 1_000_000).zfill(6)

    assert "2 tries left" in desk.submit(path, code=wrong)[1]
    assert "one try left" in desk.submit(path, code=wrong)[1]
    assert "Too many wrong codes" in desk.submit(path, code=wrong)[1]
    assert "Too many wrong codes" in desk.submit(path)[1]
    desk.clock.forward(hours=23, minutes=59)
    refused = desk.ask("U0ALICE")
    desk.clock.forward(minutes=1)
    allowed = desk.ask("U0ALICE")

    assert isinstance(refused, Declined)
    assert not isinstance(allowed, Declined)
    assert desk.password_is("alice", OLD_PASSWORD)
    assert desk.reasons().count("wrong_code") == 2


def test_a_second_reset_within_a_day_is_refused(desk: ResetDesk) -> None:
    request = desk.linked("U0ALICE")
    desk.submit(desk.link(request))
    desk.finished(request)

    refused = desk.ask("U0ALICE")
    desk.clock.forward(hours=24)

    assert isinstance(refused, Declined)
    assert not isinstance(desk.ask("U0ALICE"), Declined)


def test_five_resets_within_an_hour_leave_the_sixth_to_people(desk: ResetDesk) -> None:
    for number in range(6):
        desk.add(f"person{number}", f"U{number}")
        if number < 5:
            request = desk.linked(f"U{number}")
            assert desk.submit(desk.link(request))[0] == 200

    outcome = desk.ask("U5")

    assert isinstance(outcome, Declined)
    assert desk.reasons()[-1] == "breaker"


def test_without_a_mail_server_nothing_is_reset(desk: ResetDesk) -> None:
    desk.notices._url = None

    outcome = desk.ask("U0ALICE")

    assert isinstance(outcome, Declined)
    assert "mail" in outcome.text


def test_pressing_not_me_disables_the_account_and_opens_a_p1_incident(desk: ResetDesk) -> None:
    request = desk.offered("U0ALICE")
    desk.durable.wait(f"reset:{request}:requested", 20)
    link = next(text for text in desk.mailbox.texts() if "/once/notme-" in text).split("desk.example")[1].split()[0]

    assert "wasn&#39;t me" in desk.web.get(link).text or "wasn't me" in desk.web.get(link).text
    assert desk.person("alice").enabled
    for _ in range(2):
        assert "being disabled" in desk.web.post(link, data={"sure": "yes"}).text
    desk.durable.wait(f"reset:{request}:notme", 20)

    assert not desk.person("alice").enabled
    assert desk.identify("U0ALICE").refusal is not None
    kept = desk.request(request)
    assert kept.state == "cancelled"
    with desk.database.reading() as session:
        incident = queries.find(session, kept.incident or "")
        assert (incident.kind.value, incident.priority) == ("incident", 1)
    assert any(str(kept.incident) in text for _, text in desk.alerts)
