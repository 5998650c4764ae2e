"""The durable way of a turn: recorded, decided, carried out, answered; each message once, a conversation in order."""

import logging
import secrets
import threading
import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import assert_never

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from bot.arrivals import Arrivals
from bot.conversation import Asked, decide
from bot.delivery import Delivery
from bot.desk import Desk
from bot.errors import BotError, SlackUnavailable
from bot.message import Message, plain
from bot.outcomes import (
    Answered,
    Clarified,
    Declined,
    Deflected,
    Escalated,
    InProgress,
    Outcome,
    from_json,
    to_json,
)
from bot.people import Employee
from bot.recording import record
from bot.records import Conversation, Turn
from bot.routines.correcting import ASKED_ALREADY, Correction
from bot.signs import Signs
from bot.slack_client import TRANSIENT
from bot.streams import Streams
from bot.traces import keep
from bot.turn_queries import oldest_unfinished, turns_before
from bot.why import Branch, Why
from bot.workflows.stoppable import Stoppable, newest
from store.durable import StepFailed

log = logging.getLogger(__name__)

FORGOTTEN = timedelta(minutes=2)
"""Age at which an unfinished turn is looked after again."""

SETTLE = timedelta(milliseconds=40)
"""Two messages sent at once arrive on two threads; the earlier one gets this long to be recorded first."""

TOO_LATE = "That can't be stopped any more: it is being done, or is done."
STEP_RETRIES = 9

GIVES_WAY_SECONDS = 1.0
"""Longest time that a turn waits for arriving messages to be acknowledged first: Slack waits for three seconds."""


class Turns:
    """Receives messages and sees each through to its reply."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._recording = threading.Lock()
        self._arrivals = Arrivals()
        self._signs = Signs(desk.slack)
        self._streams = Streams(desk, self._signs)
        self._delivery = Delivery(desk, self._streams, self._signs)
        self._workflow = desk.durable.workflow("turn", self._see_through)

    def close(self) -> None:
        self._signs.close()

    def resume(self) -> None:
        """See to turns that were left unfinished, since Slack or the database was away for long: at the start and now
        and then. A turn that is in hand after all is found done when its second workflow gets to it."""
        now = self._desk.now()
        with self._desk.database.reading() as session:
            unfinished = session.execute(
                select(Turn.key, Turn.conversation_id)
                .where(Turn.state.in_(("received", "decided")), Turn.received_at < now - FORGOTTEN)
                .order_by(Turn.id)
            ).all()
        for key, conversation in unfinished:
            log.warning("turn %s is unfinished; it is taken up again", key)
            again = f"{key}:resumed:{now:%Y%m%d%H%M%S}"
            self._desk.durable.enqueue(self._workflow, key, key=again, partition=f"conversation:{conversation}")

    # Before the acknowledgement

    def receive(self, message: Message, *, surface: str | None = None) -> bool:
        """Record the message durably; True if it is the desk's business.

        Delivered again, it changes nothing. In a channel only mentions are the desk's, and what the employee writes in
        a thread that the desk knows.
        """
        with self._arrivals.one():
            # One at a time: SQLite lets waiting writers in by chance, and messages sent at once must keep their order.
            with self._recording:
                try:
                    recorded = self._record(message, surface)
                except IntegrityError:
                    # Another process recorded the conversation or the turn at this moment.
                    recorded = self._record(message, surface)
            if recorded is None:
                return False
            conversation, key = recorded
            self._desk.durable.enqueue(self._workflow, key, key=key, partition=f"conversation:{conversation}")
            return True

    def _record(self, message: Message, surface: str | None) -> tuple[int, str] | None:
        now = self._desk.now()
        with self._desk.database.transaction() as session:
            return record(session, message, surface=surface, now=now)

    # After it

    def _see_through(self, key: str) -> None:
        """The durable workflow that a message starts: the conversation's unfinished turns, oldest first, up to the
        message's own. There are others when two that were sent at once were recorded the other way round, and when a
        workflow before this one had to give up."""
        self._arrivals.give_way(GIVES_WAY_SECONDS)
        seen: str | None = ""
        while seen not in (key, None):
            seen = self._see_to_next(key)

    def _see_to_next(self, key: str) -> str | None:
        """The turn that was seen to, or None when there is none left."""
        durable = self._desk.durable
        try:
            turn = durable.step("decide", self._decide, key, retries=STEP_RETRIES, transient=TRANSIENT)
        except StepFailed as failure:
            if failure.transient:
                raise
            # It would fail for ever, and each message after it would meet the same turn.
            turn = durable.step("apologise", self._apologise, key)
        if turn is None:
            return None
        try:
            durable.step("deliver", self._delivery.deliver, turn, retries=STEP_RETRIES, transient=TRANSIENT)
        except StepFailed as failure:
            if not failure.transient:
                # It would fail again, and the turns behind it must not wait for it.
                durable.step("give up", self._give_up, turn)
            raise
        return turn

    def _decide(self, key: str) -> str | None:
        desk = self._desk
        with desk.database.reading() as session:
            conversation, turn = oldest_unfinished(session, key)
            if turn is None:
                return None
            settled = turn.received_at + SETTLE - desk.now()
        if settled > timedelta():
            time.sleep(min(settled.total_seconds(), SETTLE.total_seconds()))
        with desk.database.reading() as session:
            conversation, turn = oldest_unfinished(session, key)
        if turn is None or turn.state != "received":
            return turn.key if turn else None
        self._signs.show_seen(conversation, turn)
        employee = desk.people.identify(team=conversation.team, user=turn.user, user_team=turn.user_team)
        with desk.database.reading() as session:
            asked = self._asked(session, conversation, turn, employee)
        outcome, why = self._judge(asked)
        with desk.database.transaction() as session:
            carried_out = self._carry_out(session, turn, outcome, asked, why)
        # Edited in the meantime: the newer text is what counts.
        return turn.key if carried_out else self._decide(key)

    def _apologise(self, key: str) -> str | None:
        """Give the oldest unfinished turn an apology for an outcome, and nothing else."""
        with self._desk.database.transaction() as session:
            _, turn = oldest_unfinished(session, key)
            if turn is None or turn.state != "received":
                return turn.key if turn else None
            outcome = apology(RuntimeError(f"turn {turn.key} could not be decided"))
            turn.outcome, turn.outcome_kind, turn.state = to_json(outcome), outcome.kind, "decided"
            keep(session, turn.key, Why(Branch.TROUBLE), self._desk.now())
            return turn.key

    def _judge(self, asked: Asked) -> tuple[Outcome, Why]:
        try:
            decision = decide(self._desk, asked)
            if isinstance(decision.outcome, InProgress) and decision.outcome.request is None:
                refusal = self._desk.workflow(decision.outcome.workflow).check(asked.employee)
                return decision.outcome, replace(decision.why, refused=refusal)
            return decision.outcome, decision.why
        except (OperationalError, SlackUnavailable):
            raise  # these pass; the step is tried again
        except Exception as error:  # noqa: BLE001 (a bug of ours must not leave an employee without a reply)
            return apology(error), Why(Branch.TROUBLE)

    def _asked(self, session: Session, conversation: Conversation, turn: Turn, employee: Employee) -> Asked:
        before = list(turns_before(session, conversation, turn))
        ticket = self._desk.triage.ticket_of(session, conversation.id)
        resolved = None if ticket else self._desk.triage.resolved_lately(session, conversation.id)
        holder = ticket or resolved
        last = before[-1].outcome if before else None
        return Asked(
            text=plain(turn.text),
            employee=employee,
            private=conversation.surface != "channel",
            files=len(turn.files),
            earlier=tuple(plain(earlier.text)[:1000] for earlier in before),
            begins=turn.ts == conversation.thread_ts,
            last=from_json(last) if last else None,
            ticket=ticket.number if ticket else None,
            claimed_by=holder.claimed_by if holder else None,
            resolved=resolved.number if resolved else None,
            stoppable=partial(self._stoppable, conversation.team, turn.user),
            correction=partial(self._correction, conversation.team, turn.user, plain(turn.text)),
            hearing=self._streams.open(session, conversation, turn),
        )

    def _stoppable(self, team: str, user: str) -> Stoppable | None:
        with self._desk.database.reading() as session:
            return newest(flow.stoppable(session, team=team, user=user) for flow in self._desk.workflows)

    def _correction(self, team: str, user: str, text: str) -> Correction | None:
        desk = self._desk
        if desk.corrections is None:
            return None
        with desk.database.reading() as session:
            return desk.corrections.find(session, team=team, user=user, text=text, now=desk.now())

    def _carry_out(self, session: Session, read: Turn, outcome: Outcome, asked: Asked, why: Why) -> bool:
        """Record the outcome, why, and its effects in SQL, together; what goes to Slack follows with the delivery.

        False, and nothing is done, if the turn says something else by now than when it was `read`.
        """
        desk, now, key = self._desk, self._desk.now(), read.key
        turn = session.scalars(select(Turn).where(Turn.key == key).with_for_update()).one()
        if turn.state != "received":
            return True
        if turn.text != read.text:
            return False
        conversation = session.get_one(Conversation, turn.conversation_id)
        match outcome:
            case InProgress(request=str(request), given=given):
                if desk.corrections is None or not desk.corrections.apply(session, request, given, now):
                    outcome = Clarified(ASKED_ALREADY)
            case InProgress(workflow=name, given=given):
                outcome = desk.workflow(name).start(
                    session,
                    key=key,
                    employee=asked.employee,
                    conversation=conversation,
                    refusal=why.refused,
                    given=given,
                    now=now,
                )
            case Deflected(workflow=name, request=str(request)):
                if not desk.workflow(name).stop(session, request, now=now):
                    outcome = replace(outcome, text=TOO_LATE, request=None)
            case Escalated(follow_up=True, ticket=str(ticket)):
                desk.triage.follow_up(session, ticket=ticket, turn=turn)
            case Escalated():
                before = turns_before(session, conversation, turn)
                ticket = desk.triage.open(
                    session,
                    conversation=conversation,
                    turns=[*before, turn],
                    handoff=outcome.handoff,
                    employee_name=asked.employee.name,
                    account=asked.employee.account,
                )
                outcome = replace(outcome, ticket=ticket)
            case Answered() | Clarified() | Deflected() | Declined():
                pass
            case _:
                assert_never(outcome)
        turn.outcome = to_json(outcome)
        turn.outcome_kind = outcome.kind
        turn.state = "decided"
        keep(session, key, why, now)
        return True

    def _give_up(self, key: str) -> None:
        log.error("turn %s could not be delivered", key)
        with self._desk.database.transaction() as session:
            turn = session.scalars(select(Turn).where(Turn.key == key)).one()
            turn.state, turn.done_at = "failed", self._desk.now()


def apology(error: Exception) -> Outcome:
    """What the employee is told when we have a bug: an id to quote, never the exception."""
    if isinstance(error, BotError):
        return Declined(str(error))
    incident = secrets.token_hex(4)
    log.error("turn failed, error %s", incident, exc_info=error)
    return Declined(f"Sorry, something broke on my side (error {incident}). A person can take it from here.")
