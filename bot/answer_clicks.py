"""What an employee may do with a reply: see all steps, choose an option, ask for a human, say what they think of it."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.attachments import keep_files
from bot.blocks import kit
from bot.blocks.feedback import FeedbackForm, feedback_form
from bot.blocks.markup import markdown, words
from bot.blocks.outcomes import (
    ANSWER_FEEDBACK,
    ANSWER_HUMAN,
    ANSWER_MORE,
    ANSWER_TICKET,
    CLARIFY_OPTION,
    fallback,
    render,
)
from bot.blocks.parts import parts
from bot.blocks.tables import with_tables_told
from bot.cases import handoff_about, story_of, turns_of
from bot.clicks import OLD, Click, clicked, keep_view, opened_view
from bot.desk import Desk
from bot.message import Message, escape
from bot.outcomes import Answered, Clarified, Escalated, HandoffReason, Outcome, from_json
from bot.people import Employee
from bot.records import Conversation, Feedback, Turn
from bot.slack_client import TRANSIENT
from bot.turns import Turns
from knowledge.answers import Answer
from knowledge.errors import NotAllowed

NOT_YOURS = "These buttons belong to the person who asked. Write to me, and you get your own answer."
STEPS_LIMIT = kit.MARKDOWN - 1_000
"""Characters of Markdown in one message; making it harmless may add some."""
RETRIES = 14
"""Pausing twice as long each time, from half a second: some four hours."""


class AnswerClicks:
    """Clicks on replies. Each is recorded durably, then carried out; doing it twice has the effect of once."""

    def __init__(self, desk: Desk, turns: Turns) -> None:
        self._desk = desk
        self._turns = turns
        self._clicked = desk.durable.workflow("answer_click", self._see_to_click)
        self._sent = desk.durable.workflow("feedback_form", self._see_to_form)

    # Within Slack's three seconds

    def receive(self, click: Click) -> None:
        self._desk.durable.start(self._clicked, click.as_json(), key=click.key)

    def ask_what_was_wrong(self, click: Click) -> None:
        """Open the form behind the thumb that points down; the trigger lives 3 seconds, so it can't wait."""
        with self._desk.database.reading() as session:
            found = self._own_turn(session, click)
            if found is None:
                return
            turn, conversation = found
            story = story_of(turns_of(session, conversation.id))
        view = opened_view(self._desk.slack, click, feedback_form(story))
        if view is None:
            return
        with self._desk.database.transaction() as session:
            keep_view(session, view, purpose="feedback", ref=turn.key, user=click.user, now=self._desk.now())

    def take_form(self, *, view: str, turn_key: str, user: str, form: FeedbackForm) -> None:
        """Record the form; the same view sent again is the same form."""
        self._desk.durable.start(self._sent, view, turn_key, user, asdict(form), key=f"feedback:{view}")

    # After it

    def _see_to_click(self, click: dict[str, Any]) -> None:
        self._desk.durable.step("act", self._act, click, retries=RETRIES, transient=TRANSIENT)

    def _see_to_form(self, view: str, turn_key: str, user: str, form: dict[str, Any]) -> None:
        step = self._desk.durable.step
        step("take", self._take_form, view, turn_key, user, form, retries=RETRIES, transient=TRANSIENT)

    def _take_form(self, view: str, turn_key: str, user: str, kept: dict[str, Any]) -> None:
        """Keep what was wrong, and open the ticket if it is wanted."""
        form, ticket, employee = FeedbackForm(**kept), None, self._employee_of(turn_key)
        with self._desk.database.transaction() as session:
            self._keep_opinion(session, turn_key, user, helpful=False, wrong=form.wrong or None)
            if form.open_ticket:
                why, by = HandoffReason.NEGATIVE_FEEDBACK, f"feedback:{view}"
                ticket = self._hand_over(session, turn_key, employee, why, opened_by=by, story=form.story)
            turn = session.scalars(select(Turn).where(Turn.key == turn_key)).one()
            place = session.get_one(Conversation, turn.conversation_id)
        if ticket is not None:
            self._tell_of_ticket(turn_key, ticket)
            return
        thanks = "Thanks for saying so. Whoever keeps our articles gets to see it."
        self._desk.slack.whisper(channel=place.channel, user=user, text=thanks, thread_ts=place.thread_ts)

    def _act(self, kept: dict[str, Any]) -> None:
        click = Click(**kept)
        with self._desk.database.reading() as session:
            post = clicked(session, click, "reply")
            found = self._own_turn(session, click)
        if found is None:
            self._whisper(click, OLD if post is None else NOT_YOURS)
            return
        turn, conversation = found
        match click.action:
            case action if action.startswith(ANSWER_MORE):
                self._show_all_steps(click, turn, conversation)
            case action if action in (ANSWER_HUMAN, ANSWER_TICKET):
                self._bring_in_a_human(click, turn, conversation)
            case action if action == ANSWER_FEEDBACK:
                self._take_opinion(click, turn)
            case action if action.startswith(CLARIFY_OPTION):
                self._choose(click, turn, conversation)
            case _:
                self._whisper(click, OLD)

    def _own_turn(self, session: Session, click: Click) -> tuple[Turn, Conversation] | None:
        """The turn whose reply was clicked on, if it is the clicker's own."""
        post = clicked(session, click, "reply")
        turn = session.scalar(select(Turn).where(Turn.key == post.ref)) if post is not None else None
        if turn is None or turn.user != click.user:
            return None
        return turn, session.get_one(Conversation, turn.conversation_id)

    def _show_all_steps(self, click: Click, turn: Turn, conversation: Conversation) -> None:
        outcome = from_json(turn.outcome) if turn.outcome else None
        answer = answer_of(outcome, click.number) if isinstance(outcome, Answered) else None
        if answer is None or not answer.citations or not answer.passage_ids:
            self._whisper(click, OLD)
            return
        employee = self._desk.people.identify(team=click.team, user=click.user, max_age=0)
        groups = frozenset() if conversation.surface == "channel" else employee.groups
        try:
            steps = self._desk.library.full_steps(answer.citations[0].article_id, answer.passage_ids[0], groups)
        except NotAllowed:
            self._whisper(click, "That article has changed since. Ask me again, and you get its newest version.")
            return
        which = "" if click.number is None else f"{click.number}:"
        for number, part in enumerate(parts(with_tables_told(steps), STEPS_LIMIT)):
            self._desk.slack.post(
                f"steps:{turn.key}:{which}{number}",
                channel=conversation.channel,
                thread_ts=conversation.thread_ts,
                text=fallback(words(part)),
                blocks=[kit.markdown(markdown(part, kit.MARKDOWN))],
                purpose="steps",
                ref=turn.key,
            )

    def _bring_in_a_human(self, click: Click, turn: Turn, conversation: Conversation) -> None:
        with self._desk.database.reading() as session:
            open_already = self._desk.triage.ticket_of(session, conversation.id)
        if open_already is not None and not self._was_opened_by(click, open_already.number):
            self._whisper(click, f"{open_already.number} is open already. Write here in the thread, and it gets there.")
            return
        employee = self._employee_of(turn.key)
        with self._desk.database.transaction() as session:
            why = HandoffReason.EMPLOYEE_ASKED
            ticket = self._hand_over(session, turn.key, employee, why, opened_by=click.key)
        self._tell_of_ticket(turn.key, ticket)

    def _was_opened_by(self, click: Click, ticket: str) -> bool:
        """True in a repeat of this very click, whose reply may not be out yet."""
        with self._desk.database.reading() as session:
            return self._desk.triage.opened_by(session, ticket) == click.key

    def _employee_of(self, turn_key: str) -> Employee:
        with self._desk.database.reading() as session:
            turn = session.scalars(select(Turn).where(Turn.key == turn_key)).one()
            team = session.get_one(Conversation, turn.conversation_id).team
        return self._desk.people.identify(team=team, user=turn.user, user_team=turn.user_team)

    def _hand_over(
        self,
        session: Session,
        turn_key: str,
        employee: Employee,
        reason: HandoffReason,
        *,
        opened_by: str,
        story: str = "",
    ) -> str:
        turn = session.scalars(select(Turn).where(Turn.key == turn_key)).one()
        turns = turns_of(session, turn.conversation_id)
        conversation = session.get_one(Conversation, turn.conversation_id)
        return self._desk.triage.open(
            session,
            conversation=conversation,
            turns=turns,
            handoff=handoff_about(turns, reason, story=story),
            employee_name=employee.name,
            account=employee.account,
            opened_by=opened_by,
        )

    def _tell_of_ticket(self, turn_key: str, ticket: str) -> None:
        with self._desk.database.reading() as session:
            turn = session.scalars(select(Turn).where(Turn.key == turn_key)).one()
            conversation = session.get_one(Conversation, turn.conversation_id)
            handoff = self._desk.triage.handoff_of(session, ticket)
        rendered = render(Escalated(handoff, ticket=ticket), surface=conversation.surface)
        self._desk.slack.post(
            f"handed_over:{ticket}",
            channel=conversation.channel,
            thread_ts=conversation.thread_ts,
            text=rendered.text,
            blocks=rendered.blocks,
            purpose="handed_over",
            ref=ticket,
        )
        self._desk.triage.announce(ticket)
        with self._desk.database.reading() as session:
            told = turns_of(session, conversation.id)
        keep_files(self._desk, ticket, (file for each in told for file in each.files), owner=turn.user)

    def _take_opinion(self, click: Click, turn: Turn) -> None:
        helpful = click.value == "positive"
        with self._desk.database.transaction() as session:
            self._keep_opinion(session, turn.key, click.user, helpful=helpful, wrong=None)
        if helpful:
            self._whisper(click, "Thanks, glad it helped.")

    def _keep_opinion(self, session: Session, turn_key: str, user: str, *, helpful: bool, wrong: str | None) -> None:
        known = session.get(Feedback, (turn_key, user))
        if known is None:
            session.add(Feedback(turn_key=turn_key, user=user, helpful=helpful, wrong=wrong, at=self._desk.now()))
            return
        known.helpful, known.wrong, known.at = helpful, wrong or known.wrong, self._desk.now()

    def _choose(self, click: Click, turn: Turn, conversation: Conversation) -> None:
        outcome = from_json(turn.outcome) if turn.outcome else None
        chosen_text = chosen_of(outcome, click.number)
        if chosen_text is None:
            self._whisper(click, OLD)
            return
        # The message that asked stands for the one that answers it: so it is answered once, whatever is clicked after.
        chosen = Message(
            team=conversation.team,
            channel=conversation.channel,
            ts=click.message_ts,
            user=click.user,
            text=escape(chosen_text),
            thread_ts=conversation.thread_ts,
            user_team=turn.user_team,
            mention=True,
        )
        with self._desk.database.reading() as session:
            earlier = session.scalar(select(Turn).where(Turn.key == chosen.key))
        if earlier is not None and earlier.text != chosen.text:
            self._whisper(click, "You have chosen already. Write to me if you meant something else.")
            return
        self._turns.receive(chosen)

    def _whisper(self, click: Click, text: str) -> None:
        self._desk.slack.whisper(channel=click.channel, user=click.user, text=escape(text), thread_ts=click.thread_ts)


def answer_of(outcome: Answered, number: int | None) -> Answer | None:
    """The one that a button is under: of several questions the one of this number."""
    if number is None:
        return outcome.answer
    return outcome.parts[number].answer if number < len(outcome.parts) else None


def chosen_of(outcome: Outcome | None, number: int | None) -> str | None:
    """What the button of this number says for the employee; None for one that the reply doesn't have."""
    options: tuple[str, ...] = ()
    if isinstance(outcome, Clarified):
        options = outcome.options
    elif isinstance(outcome, Answered):
        options = tuple(part.question if part.offered else "" for part in outcome.parts)
    return (options[number] or None) if number is not None and number < len(options) else None
