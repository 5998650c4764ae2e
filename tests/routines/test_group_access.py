"""Joining a group: asked for in Slack, approved by the manager, done in the directory, taken back at its end."""

from datetime import timedelta

from bot.proposing import Proposal
from bot.routines.records import approvals_of
from sandbox.objects import Message
from store import utc_now
from tests.bot.conftest import ALICE, BOB
from tests.routines.conftest import DANA, Office


def ask(office: Office, **values: str) -> None:
    office.says(ALICE, "please add me to the design-tools group")
    office.until_state("drafted")
    given = {"what": "design-tools", "reason": "the new catalogue", **values}
    assert office.fill_in(office.card(), **given) is None


def test_a_manager_approves_and_the_grant_appears_and_disappears(office: Office) -> None:
    last_day = (utc_now() + timedelta(days=2)).date()
    ask(office, until=last_day.isoformat())
    office.until_state("asked")
    assert "design-tools" not in office.groups("alice")

    card = office.card(DANA)
    assert "the new catalogue" in str(card.blocks)
    office.press(DANA, card, "group_join_approve")
    request = office.until_state("done")
    assert "design-tools" in office.groups("alice")
    (ticket,) = office.tickets()
    assert (ticket["number"], ticket["kind"], ticket["state"]) == (request.ticket, "service_request", "resolved")

    office.advance(47)
    assert office.request().state == "done"
    office.advance(48)
    office.until_state("ended")
    assert "design-tools" not in office.groups("alice")


def test_what_is_denied_is_not_done_and_the_reason_is_read(office: Office) -> None:
    ask(office)
    office.until_state("asked")
    office.press(DANA, office.card(DANA), "group_join_deny")
    office.until(lambda: office.sandbox.workspace.views.get(DANA))
    view = office.sandbox.workspace.views[DANA][-1]
    assert office.sandbox.workspace.submit(DANA, view.id, {"reason": "Use the shared account"}) is None

    office.until_state("denied")
    office.until(lambda: any("Use the shared account" in m.text for m in office.thread(office.dm(), root(office))))
    assert "design-tools" not in office.groups("alice")
    office.until(lambda: [ticket["state"] for ticket in office.tickets()] == ["cancelled"])


def test_an_approver_asks_back_and_reads_the_answer_before_deciding(office: Office) -> None:
    ask(office)
    office.until_state("asked")
    card = office.card(DANA)
    answer_form(office, DANA, card, "group_join_ask", "For which catalogue?")

    def asked() -> list[Message]:
        return [m for m in office.thread(office.dm(), root(office)) if "For which catalogue?" in m.text]

    office.until(asked)
    (question,) = asked()
    answer_form(office, ALICE, question, "group_join_answer", "The one of *spring* <!channel>")
    office.until(lambda: "The one of" in str(office.card(DANA).blocks))
    answered = [m.text for m in office.thread(office.dm(DANA), card.ts, viewer=DANA) if "answers" in m.text]
    assert answered == ["Alice Adams answers: The one of *spring* &lt;!channel&gt;"]

    office.press(DANA, office.card(DANA), "group_join_approve")
    office.until_state("done")
    workspace = office.sandbox.workspace
    office.press(ALICE, question, "group_join_answer")
    office.until(lambda: workspace.views.get(ALICE))
    assert "decided meanwhile" in str(workspace.submit(ALICE, workspace.views[ALICE][-1].id, {"text": "And more"}))


def test_a_draft_is_corrected_and_completed_in_words_and_a_question_between_changes_nothing(office: Office) -> None:
    monday = (utc_now() + timedelta(days=40)).date()
    office.says(ALICE, f"please add me to the price-lists group until {monday.isoformat()}")
    office.until_state("drafted")
    assert office.request().wish == {"what": "price-lists", "until": monday.isoformat()}

    assert "monitors" not in office.ask("how do I add a printer").text
    assert "changed that" in office.ask(f"no, until {(monday + timedelta(days=1)).isoformat()}").text
    assert "changed that" in office.ask("because we check all prices").text
    assert "changed that: Put you into the group design-tools" in office.ask("I meant design-tools, sorry").text
    wish = {"what": "design-tools", "until": (monday + timedelta(days=1)).isoformat(), "reason": "we check all prices"}
    assert office.request().wish == wish
    assert len(office.requests()) == 1

    def corrected_card() -> list[Message]:
        """It is changed where it is, above what was said since."""
        found = office.thread(office.dm(), root(office))
        return [m for m in found if "group_join_confirm" in str(m.blocks) and "design-tools" in str(m.blocks)]

    office.until(corrected_card)
    office.press(ALICE, corrected_card()[0], "group_join_confirm")
    office.until_state("asked")
    assert "asked for already" in office.ask("no, the summer-party group").text
    assert office.request().wish == wish


class Proposes:
    """Stands for a language model that takes everything for a wish for a group."""

    def propose(self, text: str) -> Proposal:
        return Proposal("group_join", {"what": "design-tools", "reason": "we relaunch the shop"})


def test_what_a_language_model_proposes_waits_for_the_employees_own_word(office: Office) -> None:
    object.__setattr__(office.desk, "proposer", Proposes())
    office.says(ALICE, "could somebody see to it that I can work with the design tools, now that we relaunch the shop?")
    request = office.until_state("drafted")
    assert (request.slack_user, request.account) == (ALICE, "alice")
    office.until(lambda: "group_join_confirm" in str(office.card().blocks))
    assert "design-tools" in str(office.card().blocks)
    assert office.tickets() == []

    office.press_own("group_join_confirm")
    office.until_state("asked")
    assert "we relaunch the shop" in str(office.card(DANA).blocks)


def test_a_typed_cancel_stops_what_waits_and_says_so_everywhere(office: Office) -> None:
    assert "nothing under way" in office.ask("cancel my request").text
    ask(office)
    office.until_state("asked")
    card = office.card(DANA)

    assert (
        "Stopped, and nothing was changed: Put you into the group design-tools" in office.ask("please cancel it").text
    )
    assert office.request().state == "cancelled"
    office.until(
        lambda: "It is decided without you" in str(office.sandbox.workspace.history[card.channel][card.ts].blocks)
    )
    assert [ticket["state"] for ticket in office.tickets()] == ["cancelled"]
    assert "nothing under way" in office.ask("cancel that").text


def test_another_question_in_between_leaves_the_request_as_it_is(office: Office) -> None:
    office.says(ALICE, "please add me to the design-tools group because we relaunch the shop")
    wish = office.until_state("drafted").wish
    card = office.card()
    assert "VPN" in office.ask("How do I connect to the VPN from home?").text
    assert (office.request().state, office.request().wish) == ("drafted", wish)
    office.press(ALICE, card, "group_join_confirm")
    office.until_state("asked")


def answer_form(office: Office, user: str, message: Message, button: str, text: str) -> None:
    """Open the form behind a button, write into it and send it."""
    workspace = office.sandbox.workspace
    office.press(user, message, button)
    office.until(lambda: workspace.views.get(user))
    assert workspace.submit(user, workspace.views[user][-1].id, {"text": text}) is None


def test_nobody_else_approves_and_not_after_it_was_cancelled(office: Office) -> None:
    ask(office)
    office.until_state("asked")
    card = office.card(DANA)
    office.press(ALICE, office.card(), "group_join_cancel")
    office.until_state("cancelled")
    office.sandbox.workspace.advance(0)

    with office.desk.database.reading() as session:
        (approval,) = approvals_of(session, office.request().id)
    approving = office.desk.workflow("group_join")._office.approving
    for user in (ALICE, BOB):
        assert approving.decide(approval.id, team="T0SANDBOX", user=user, verdict="approved")
    assert "cancelled" in approving.decide(approval.id, team="T0SANDBOX", user=DANA, verdict="approved")
    assert card.blocks
    assert "design-tools" not in office.groups("alice")


def test_what_needs_no_approval_is_done_at_once(office: Office) -> None:
    office.says(ALICE, "take me out of the summer-party group")
    office.until_state("drafted")
    alice, party = office.directory.find("alice"), office.directory.group("summer-party")
    assert alice is not None
    assert party is not None
    office.directory.add_member(alice.directory_id, party.group_id)

    office.press(ALICE, office.card(), "group_leave_confirm")
    office.until_state("done")
    assert "summer-party" not in office.groups("alice")


def test_what_a_message_says_already_needs_no_form(office: Office) -> None:
    day = (utc_now() + timedelta(days=3)).date()
    office.says(ALICE, f"please add me to the design tools group until {day}, because we relaunch the shop")
    assert office.until_state("drafted").wish == {
        "what": "design-tools",
        "until": day.isoformat(),
        "reason": "we relaunch the shop",
    }
    office.press(ALICE, office.card(), "group_join_confirm")
    office.until_state("asked")


def test_a_day_too_far_off_in_a_message_leads_to_the_form(office: Office) -> None:
    office.says(ALICE, "please add me to the price-lists group for three years because we check all prices")
    office.until_state("drafted")
    office.press(ALICE, office.card(), "group_join_confirm")
    office.until(lambda: any("90 days at most" in message.text for message in office.thread(office.dm(), root(office))))
    assert office.request().state == "drafted"


def test_wrong_values_are_said_in_the_form(office: Office) -> None:
    office.says(ALICE, "please add me to the design-tools group")
    office.until_state("drafted")
    problems = office.fill_in(office.card(), what="design-tools", reason="x")
    assert problems == {"reason": "Write at least 3 characters."}


def root(office: Office) -> str:
    return str(office.request().thread_ts)
