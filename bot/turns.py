"""The durable way of a turn: recorded, decided, carried out, answered; each message once, a conversation in order."""

import logging
import secrets
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from typing import Any, assert_never

from slack_sdk.errors import SlackApiError
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from bot.attachments import keep_files
from bot.blocks.outcomes import Rendered, render
from bot.conversation import Asked, decide
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
from bot.records import Conversation, Post, Turn
from bot.slack import DONE, PASSED_ON, SEEN, Block
from bot.slack_client import TRANSIENT
from bot.streams import Stream
from bot.traces import keep
from bot.why import Branch, Why
from store.durable import StepFailed

log = logging.getLogger(__name__)

CONTEXT = timedelta(minutes=30)
"""How long a new top-level direct message still belongs to what was said before it."""

SETTLE = timedelta(milliseconds=40)
"""Two messages sent at once arrive on two threads; the earlier one gets this long to be recorded first."""

FORGOTTEN = timedelta(minutes=2)
"""Age at which an unfinished turn is looked after again."""

STEP_RETRIES = 9
TITLE_LIMIT = 60
BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})

PROMPTS = (
    {"title": "Reset my password", "message": "I forgot my password"},
    {"title": "Connect to the VPN", "message": "How do I connect to the VPN from home?"},
    {"title": "Report something broken", "message": "My laptop screen is cracked"},
    {"title": "Talk to a human", "message": "I want to talk to a human"},
)


class Turns:
    """Receives messages and sees each through to its reply."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._recording = threading.Lock()
        self._cosmetics = ThreadPoolExecutor(4, thread_name_prefix="cosmetics")
        self._seen: dict[str, list[Future[None]]] = {}
        self._streams: dict[str, Stream] = {}
        self._workflow = desk.durable.workflow("turn", self._see_through)
        self._greeting = desk.durable.workflow("greeting", self._greet)

    def close(self) -> None:
        self._cosmetics.shutdown()

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
            conversation = session.scalar(
                select(Conversation).where(
                    Conversation.team == message.team,
                    Conversation.channel == message.channel,
                    Conversation.thread_ts == message.root_ts,
                )
            )
            known = session.scalar(select(Turn).where(Turn.key == message.key))
            if known is not None:
                return known.conversation_id, known.key
            if (
                not message.direct
                and not message.mention
                and (conversation is None or not self._speaks_here(session, conversation, message.user))
            ):
                return None
            if message.edited_ts is not None:
                original = session.scalar(
                    select(Turn)
                    .where(Turn.conversation_id == (conversation.id if conversation else 0), Turn.ts == message.ts)
                    .order_by(Turn.id)
                )
                if original is None:
                    return None
                if original.state == "received":
                    original.text = message.text
                    return original.conversation_id, original.key
            if conversation is None:
                conversation = Conversation(
                    team=message.team,
                    channel=message.channel,
                    thread_ts=message.root_ts,
                    employee=message.user,
                    surface=surface or ("im" if message.direct else "channel"),
                    created_at=now,
                    last_turn_at=now,
                )
                session.add(conversation)
                session.flush()
            conversation.last_turn_at = now
            session.add(
                Turn(
                    key=message.key,
                    conversation_id=conversation.id,
                    ts=message.ts,
                    edited_ts=message.edited_ts,
                    user=message.user,
                    user_team=message.user_team,
                    text=message.text,
                    files=[asdict(file) for file in message.files],
                    state="received",
                    received_at=now,
                )
            )
            return conversation.id, message.key

    @staticmethod
    def _speaks_here(session: Session, conversation: Conversation, user: str) -> bool:
        """Whether a person has talked with the desk in this thread before."""
        said = select(Turn.id).where(Turn.conversation_id == conversation.id, Turn.user == user).limit(1)
        return conversation.employee == user or session.scalar(said) is not None

    # After it

    def _see_through(self, key: str) -> None:
        """The durable workflow that a message starts. It takes the conversation's oldest unfinished turn, which is not
        always the message's own: two that were sent at once may have been recorded the other way round."""
        durable = self._desk.durable
        try:
            turn = durable.step("decide", self._decide, key, retries=STEP_RETRIES, transient=TRANSIENT)
        except StepFailed as failure:
            if failure.transient:
                raise
            # It would fail for ever, and each message after it would meet the same turn.
            turn = durable.step("apologise", self._apologise, key)
        if turn is None:
            return
        try:
            durable.step("deliver", self._deliver, turn, retries=STEP_RETRIES, transient=TRANSIENT)
        except StepFailed as failure:
            if not failure.transient:
                # It would fail again, and the turns behind it must not wait for it.
                durable.step("give up", self._give_up, turn)
            raise

    def _decide(self, key: str) -> str | None:
        desk = self._desk
        with desk.database.reading() as session:
            conversation, turn = self._oldest_unfinished(session, key)
            if turn is None:
                return None
            settled = turn.received_at + SETTLE - desk.now()
        if settled > timedelta():
            time.sleep(min(settled.total_seconds(), SETTLE.total_seconds()))
        with desk.database.reading() as session:
            conversation, turn = self._oldest_unfinished(session, key)
        if turn is None or turn.state != "received":
            return turn.key if turn else None
        self._show_seen(conversation, turn)
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
            _, turn = self._oldest_unfinished(session, key)
            if turn is None or turn.state != "received":
                return turn.key if turn else None
            outcome = apology(RuntimeError(f"turn {turn.key} could not be decided"))
            turn.outcome, turn.outcome_kind, turn.state = to_json(outcome), outcome.kind, "decided"
            keep(session, turn.key, Why(Branch.TROUBLE), self._desk.now())
            return turn.key

    def _judge(self, asked: Asked) -> tuple[Outcome, Why]:
        try:
            decision = decide(self._desk, asked)
            if isinstance(decision.outcome, InProgress):
                refusal = self._desk.workflow(decision.outcome.workflow).check(asked.employee)
                return decision.outcome, replace(decision.why, refused=refusal)
            return decision.outcome, decision.why
        except (OperationalError, SlackUnavailable):
            raise  # these pass; the step is tried again
        except Exception as error:  # noqa: BLE001 (a bug of ours must not leave an employee without a reply)
            return apology(error), Why(Branch.TROUBLE)

    @staticmethod
    def _oldest_unfinished(session: Session, key: str) -> tuple[Conversation, Turn | None]:
        conversation = session.scalars(
            select(Conversation).join(Turn, Turn.conversation_id == Conversation.id).where(Turn.key == key)
        ).one()
        turn = session.scalar(
            select(Turn)
            .where(Turn.conversation_id == conversation.id, Turn.state.in_(("received", "decided")))
            .order_by(func.coalesce(Turn.edited_ts, Turn.ts), Turn.id)
            .limit(1)
        )
        return conversation, turn

    def _asked(self, session: Session, conversation: Conversation, turn: Turn, employee: Employee) -> Asked:
        before = list(self._turns_before(session, conversation, turn))
        ticket = self._desk.triage.ticket_of(session, conversation.id)
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
            claimed_by=ticket.claimed_by if ticket else None,
            hearing=self._stream(session, conversation, turn),
        )

    def _stream(self, session: Session, conversation: Conversation, turn: Turn) -> Stream | None:
        """Where the employee can follow how the answer is written; None where the reply replaces another message,
        was begun before, or nothing is written."""
        if self._desk.grounded is None or conversation.surface == "command" or turn.edited_ts is not None:
            return None
        if session.get(Post, turn.key) is not None:
            return None
        stream = Stream(
            self._desk.slack,
            key=turn.key,
            channel=conversation.channel,
            thread_ts=conversation.thread_ts,
            user=turn.user,
            team=turn.user_team or conversation.team,
            show=partial(self._show_status, conversation, turn) if conversation.surface == "assistant" else None,
        )
        self._streams[turn.key] = stream
        return stream

    def _turns_before(self, session: Session, conversation: Conversation, turn: Turn) -> list[Turn]:
        """The finished turns that this one continues, oldest first, at most six."""
        query = select(Turn).where(Turn.id != turn.id, Turn.state == "done", Turn.ts < turn.ts)
        same_thread = query.where(Turn.conversation_id == conversation.id)
        found = list(session.scalars(same_thread.order_by(Turn.ts.desc()).limit(6)))
        if not found and conversation.surface == "im" and turn.ts == conversation.thread_ts:
            recent = query.join(Conversation, Conversation.id == Turn.conversation_id).where(
                Conversation.team == conversation.team,
                Conversation.channel == conversation.channel,
                Conversation.employee == turn.user,
                Turn.received_at > turn.received_at - CONTEXT,
            )
            found = list(session.scalars(recent.order_by(Turn.ts.desc()).limit(2)))
        return found[::-1]

    def _carry_out(self, session: Session, read: Turn, outcome: Outcome, asked: Asked, why: Why) -> bool:
        """Record the outcome, why, and its effects in SQL, together; what goes to Slack follows in `_deliver`.

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
            case InProgress(workflow=name):
                outcome = desk.workflow(name).start(
                    session,
                    key=key,
                    employee=asked.employee,
                    conversation=conversation,
                    refusal=why.refused,
                    now=now,
                )
            case Escalated(follow_up=True, ticket=str(ticket)):
                desk.triage.follow_up(session, ticket=ticket, turn=turn)
            case Escalated():
                before = self._turns_before(session, conversation, turn)
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

    def _deliver(self, key: str) -> None:
        desk = self._desk
        with desk.database.reading() as session:
            turn = session.scalars(select(Turn).where(Turn.key == key)).one()
            conversation = session.get_one(Conversation, turn.conversation_id)
            edited = self._reply_to_original(session, turn)
        stream = self._streams.pop(key, None)
        if turn.state != "decided" or turn.outcome is None:
            return
        outcome = from_json(turn.outcome)
        handed_over = isinstance(outcome, Escalated) and outcome.follow_up and outcome.claimed_by is not None
        refused: SlackApiError | None = None
        if not handed_over:
            try:
                self._reply(conversation, turn, outcome, edited, stream)
            except SlackApiError as error:
                refused = error  # for good; the agents are to be told all the same
        match outcome:
            case InProgress(workflow=name, request=str(request)):
                desk.workflow(name).announce(request)
            case Escalated(ticket=str(ticket), follow_up=True):
                name = desk.triage.name_of(turn.user)
                desk.triage.relay_to_agents(ticket, key=turn.key, name=name, text=turn.text)
                keep_files(desk, ticket, turn.files, owner=turn.user)
            case Escalated(ticket=str(ticket)):
                desk.triage.announce(ticket)
                with desk.database.reading() as session:
                    turns = [*self._turns_before(session, conversation, turn), turn]
                keep_files(desk, ticket, (file for told in turns for file in told.files), owner=turn.user)
            case _:
                pass
        if refused is not None:
            raise refused
        self._show_done(conversation, turn, outcome, handed_over)
        with desk.database.transaction() as session:
            kept = session.get_one(Turn, turn.id)
            kept.state, kept.done_at = "done", desk.now()

    def _reply(
        self, conversation: Conversation, turn: Turn, outcome: Outcome, edited: Post | None, stream: Stream | None
    ) -> None:
        rendered = render(outcome, surface=conversation.surface)
        if edited is not None and edited.ts is not None and self._rewritten(edited, edited.ts, turn, rendered):
            return
        try:
            self._post_reply(conversation, turn, rendered.text, rendered.blocks, stream.said if stream else None)
        except SlackApiError as error:
            if error.response.get("error") not in BAD_BLOCKS:
                raise
            log.exception("Slack refuses the blocks of the reply to %s; it goes out as text", turn.key)
            self._post_reply(conversation, turn, rendered.text, [])

    def _rewritten(self, post: Post, ts: str, turn: Turn, rendered: Rendered) -> bool:
        """Whether the reply to the first version now answers the edited one; False if somebody deleted it."""
        try:
            self._desk.slack.update(channel=post.channel, ts=ts, text=rendered.text, blocks=rendered.blocks)
        except SlackApiError as error:
            if error.response.get("error") != "message_not_found":
                raise
            return False
        with self._desk.database.transaction() as session:
            session.get_one(Post, post.key).ref = turn.key
        return True

    def _post_reply(
        self, conversation: Conversation, turn: Turn, text: str, blocks: list[Block], said: str | None = None
    ) -> None:
        if self._desk.slack.finish_stream(turn.key, text=text, blocks=blocks, said=said):
            return
        self._desk.slack.post(
            turn.key,
            channel=conversation.channel,
            thread_ts=conversation.thread_ts,
            text=text,
            blocks=blocks,
            purpose="reply",
            ref=turn.key,
        )

    @staticmethod
    def _reply_to_original(session: Session, turn: Turn) -> Post | None:
        """For an edited message, the reply that its first version got."""
        if turn.edited_ts is None:
            return None
        keys = select(Turn.key).where(
            Turn.conversation_id == turn.conversation_id, Turn.ts == turn.ts, Turn.id != turn.id
        )
        return session.scalar(select(Post).where(Post.key.in_(keys), Post.purpose == "reply").limit(1))

    def _give_up(self, key: str) -> None:
        log.error("turn %s could not be delivered", key)
        with self._desk.database.transaction() as session:
            turn = session.scalars(select(Turn).where(Turn.key == key)).one()
            turn.state, turn.done_at = "failed", self._desk.now()

    # The assistant pane

    def open_assistant(self, *, team: str, channel: str, thread_ts: str, user: str) -> None:
        """Remember the new thread and greet the person in it, once."""
        now = self._desk.now()
        with self._desk.database.transaction() as session:
            known = session.scalar(
                select(Conversation).where(
                    Conversation.team == team, Conversation.channel == channel, Conversation.thread_ts == thread_ts
                )
            )
            if known is None:
                place = {"team": team, "channel": channel, "thread_ts": thread_ts}
                session.add(Conversation(**place, employee=user, surface="assistant", created_at=now, last_turn_at=now))
        self._desk.durable.start(self._greeting, channel, thread_ts, key=f"assistant:{team}:{channel}:{thread_ts}")

    def _greet(self, channel: str, thread_ts: str) -> None:
        self._desk.durable.step(
            "greet", self._post_greeting, channel, thread_ts, retries=STEP_RETRIES, transient=TRANSIENT
        )

    def _post_greeting(self, channel: str, thread_ts: str) -> None:
        text = "Hello! Ask me anything about IT. I can also reset your password or bring in a person."
        self._desk.slack.post(
            f"greeting:{channel}:{thread_ts}", channel=channel, thread_ts=thread_ts, text=text, purpose="greeting"
        )
        self._quietly("set_prompts", channel=channel, thread_ts=thread_ts, prompts=PROMPTS, title="For example")

    # Signs that it is seen and done: nobody waits for them, and a reply never fails by them.

    def _show_seen(self, conversation: Conversation, turn: Turn) -> None:
        seen = self._cosmetics.submit(self._quietly, "react", channel=conversation.channel, ts=turn.ts, name=SEEN)
        self._seen[turn.key] = [seen]
        if conversation.surface == "assistant":
            place = {"channel": conversation.channel, "thread_ts": conversation.thread_ts}
            self._show_status(conversation, turn, "is looking it up…")
            if turn.text and turn.ts:
                self._cosmetics.submit(
                    self._quietly, "set_title", **place, title=plain(turn.text)[:TITLE_LIMIT] or "File"
                )

    def _show_status(self, conversation: Conversation, turn: Turn, status: str) -> None:
        place = {"channel": conversation.channel, "thread_ts": conversation.thread_ts}
        shown = self._cosmetics.submit(self._quietly, "set_status", **place, status=status)
        self._seen.setdefault(turn.key, []).append(shown)

    def _show_done(self, conversation: Conversation, turn: Turn, outcome: Outcome, handed_over: bool) -> None:
        shown = self._seen.pop(turn.key, [])
        sign: str | None = PASSED_ON if handed_over else DONE
        if isinstance(outcome, Escalated | InProgress) and not handed_over:
            sign = None  # 👀 stays until somebody has seen to it
        self._cosmetics.submit(self._finish, shown, conversation, turn.ts, sign)

    def _finish(self, shown: list[Future[None]], conversation: Conversation, ts: str, sign: str | None) -> None:
        """Take the signs of work back, once they are up: a status that comes after the reply would stay."""
        for call in shown:
            call.result()
        if conversation.surface == "assistant":
            self._quietly("set_status", channel=conversation.channel, thread_ts=conversation.thread_ts, status="")
        if sign is not None:
            self._quietly("react", channel=conversation.channel, ts=ts, name=sign)
            self._quietly("unreact", channel=conversation.channel, ts=ts, name=SEEN)

    def _quietly(self, call: str, **arguments: Any) -> None:
        try:
            getattr(self._desk.slack, call)(**arguments)
        except (SlackApiError, BotError, OSError) as error:
            log.warning("%s failed: %s", call, error)


def apology(error: Exception) -> Outcome:
    """What the employee is told when we have a bug: an id to quote, never the exception."""
    if isinstance(error, BotError):
        return Declined(str(error))
    incident = secrets.token_hex(4)
    log.error("turn failed, error %s", incident, exc_info=error)
    return Declined(f"Sorry, something broke on my side (error {incident}). A person can take it from here.")
