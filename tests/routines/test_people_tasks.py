"""What people do for a request: given out once it is approved, ticked off in the triage channel, told of, refused."""

from datetime import timedelta

from bot.routines.records import RoutineRequest
from sandbox.objects import Message
from store import utc_now
from tests.bot.conftest import ALICE, BOB
from tests.routines.conftest import DANA, Office

TRIAGE, PRIYA = "C0TRIAGE", "U0PRIYA"


def tasks_card(office: Office) -> Message:
    """The newest one in the triage channel."""

    def cards() -> list[Message]:
        found = office.sandbox.workspace.messages(TRIAGE, BOB)
        return [m for m in found if m.bot_id and ("☐" in str(m.blocks) or "☑" in str(m.blocks))]

    office.until(cards)
    return cards()[-1]


def tick(office: Office, user: str, number: int) -> None:
    action = f"{office.request().workflow}_tick_{number}"
    office.until(lambda: action in str(tasks_card(office).blocks))
    office.press(user, tasks_card(office), action)


def ticked(office: Office, number: int) -> None:
    office.until(lambda: str(tasks_card(office).blocks).count("☑") == number)


def monitor_is_wanted(office: Office) -> RoutineRequest:
    office.says(ALICE, "can I get a 27-inch monitor for my desk")
    office.until_state("drafted")
    form = {"what": "27-inch monitor", "place": "Desk 3.14", "reason": "I draw all day"}
    assert office.fill_in(office.card(), **form) is None
    office.until_state("asked")
    office.press(DANA, office.card(DANA), "hardware_approve")
    return office.until_state("fulfilling")


def test_a_monitor_is_approved_and_two_agents_bring_it(office: Office) -> None:
    request = monitor_is_wanted(office)
    card = tasks_card(office)
    assert "Desk 3.14" in str(card.blocks)
    assert "I draw all day" in str(card.blocks)
    office.until(lambda: "☐ Bring it" in str(office.card().blocks))

    tick(office, BOB, 0)
    ticked(office, 1)
    assert f"<@{BOB}>" in str(tasks_card(office).blocks)
    (ticket,) = office.tickets()
    assert ticket["state"] == "in_progress"
    assert office.request().state == "fulfilling"
    office.until(lambda: "☑ Take a monitor" in str(office.card().blocks))

    tick(office, PRIYA, 1)
    office.until_state("done")
    office.until(lambda: [ticket["state"] for ticket in office.tickets()] == ["resolved"])
    office.until(lambda: "_tick_" not in str(tasks_card(office).blocks))
    office.until(lambda: any("Done: get you 27-inch monitor" in m.text for m in thread_of(office, request)))


def thread_of(office: Office, request: RoutineRequest) -> list[Message]:
    return office.thread(office.dm(), request.thread_ts)


def test_only_agents_tick_off_and_nobody_their_own(office: Office) -> None:
    office.sandbox.workspace.channels[TRIAGE].members.append(ALICE)
    monitor_is_wanted(office)
    tick(office, ALICE, 0)
    office.until(lambda: any("somebody else" in text for text in office.whispers(ALICE, TRIAGE)))
    assert "☑" not in str(tasks_card(office).blocks)


def test_what_cant_be_done_is_said_with_its_reason(office: Office) -> None:
    request = monitor_is_wanted(office)
    card = tasks_card(office)
    office.press(BOB, card, "hardware_refuse")
    workspace = office.sandbox.workspace
    office.until(lambda: workspace.views.get(BOB))
    assert workspace.submit(BOB, workspace.views[BOB][-1].id, {"reason": "There are none until May"}) is None

    office.until_state("unfulfilled")
    office.until(lambda: any("none until May" in m.text for m in thread_of(office, request)))
    office.until(lambda: [ticket["state"] for ticket in office.tickets()] == ["cancelled"])
    office.until(lambda: "_tick_" not in str(tasks_card(office).blocks))


def test_it_can_be_stopped_while_people_are_at_it_and_they_see_that(office: Office) -> None:
    monitor_is_wanted(office)
    tick(office, BOB, 0)
    ticked(office, 1)
    office.press_own("hardware_cancel")
    office.until_state("cancelled")
    office.until(lambda: "Cancelled" in str(tasks_card(office).blocks))
    assert "_tick_" not in str(tasks_card(office).blocks)


def test_who_joins_has_everything_ready_by_their_first_day(office: Office) -> None:
    day = (utc_now() + timedelta(days=3)).date()
    office.says(ALICE, "we have a new joiner on my team, please set everything up")
    office.until_state("drafted")
    form = {"what": "Office", "person": "Sam Smith", "day": day.isoformat()}
    assert office.fill_in(office.card(), **form) is None
    office.until_state("asked")
    assert "Sam Smith" in str(office.card(DANA).blocks)
    office.press(DANA, office.card(DANA), "joiner_approve")
    office.until_state("fulfilling")
    card = tasks_card(office)
    assert f"by {day:%-d %B}" in str(card.blocks)

    tick(office, BOB, 0)
    ticked(office, 1)
    office.advance(24 * 3)

    def reminded() -> list[str]:
        return [m.text for m in office.thread(TRIAGE, card.ts, viewer=BOB) if "still waits" in m.text]

    office.until(reminded)
    assert "Set up a laptop" in reminded()[0]
    assert "Make the account" not in reminded()[0]


def test_a_guest_gets_a_code_once_each_until_none_is_left(office: Office) -> None:
    codes = ["one-111", "two-222"]
    office.stock("guest Wi-Fi", codes)
    seen: list[str] = []
    for _ in codes:
        wifi_is_wanted(office)
        request = office.until_state("done")
        seen.append(code_in(office, request))
    assert seen == codes

    wifi_is_wanted(office)
    office.until_state("failed")
    assert "No code of guest Wi-Fi is left" in str(office.request().refusal)


def wifi_is_wanted(office: Office) -> None:
    before = len(office.requests())
    office.says(ALICE, "can I get a guest Wi-Fi voucher")
    office.until(lambda: len(office.requests()) == before + 1)
    office.until(lambda: "guest_code_fill_in" in str(office.card().blocks))
    assert office.fill_in(office.card(), what="guest Wi-Fi", reason="Ms Jones of Larch Ltd") is None


def code_in(office: Office, request: RoutineRequest) -> str:
    def said() -> list[str]:
        return [m.text for m in thread_of(office, request) if "code of guest Wi-Fi:" in m.text]

    office.until(said)
    return said()[0].rpartition(" ")[2]


def test_a_lost_factor_is_reset_by_two_people_after_a_day(office: Office) -> None:
    office.says(ALICE, "I lost the phone with my authenticator app")
    office.until_state("drafted")
    assert office.fill_in(office.card(), reason="It fell into the harbour") is None
    office.until_state("asked")
    office.until(lambda: any("lost second factor" in m.subject for m in office.sandbox.workspace.mail))
    office.press(DANA, office.card(DANA), "factor_reset_approve")
    office.until_state("fulfilling")
    tick(office, BOB, 0)
    ticked(office, 1)
    tick(office, BOB, 1)
    office.until(lambda: any("another person" in text for text in office.whispers(BOB, TRIAGE)))
    tick(office, PRIYA, 1)
    ticked(office, 2)
    assert office.request().state == "fulfilling"
    office.advance(25)
    office.until_state("done")
    assert "no authenticator app" in office.ask("I forgot my password, reset it please").text
