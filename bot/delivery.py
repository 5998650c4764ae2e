"""How a decided turn reaches Slack: the reply to the employee, and what the agents are told."""

import logging

from slack_sdk.errors import SlackApiError
from sqlalchemy import select

from bot.attachments import keep_files
from bot.blocks.outcomes import Rendered, render
from bot.desk import Desk
from bot.outcomes import Deflected, Escalated, InProgress, Outcome, from_json
from bot.records import Conversation, Post, Turn
from bot.signs import Signs
from bot.slack import Block
from bot.streams import Stream, Streams
from bot.turn_queries import reply_to_original, turns_before

log = logging.getLogger(__name__)

BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})


class Delivery:
    """Delivers turns that are decided; afterwards they are done."""

    def __init__(self, desk: Desk, streams: Streams, signs: Signs) -> None:
        self._desk = desk
        self._streams = streams
        self._signs = signs

    def deliver(self, key: str) -> None:
        """Can be repeated: what has arrived is recognised by its key."""
        desk = self._desk
        with desk.database.reading() as session:
            turn = session.scalars(select(Turn).where(Turn.key == key)).one()
            conversation = session.get_one(Conversation, turn.conversation_id)
            edited = reply_to_original(session, turn)
        stream = self._streams.taken(key)
        if turn.state != "decided" or turn.outcome is None:
            return
        outcome = from_json(turn.outcome)
        handed_over = isinstance(outcome, Escalated) and outcome.handed_over
        refused: SlackApiError | None = None
        if not handed_over:
            try:
                self._reply(conversation, turn, outcome, edited, stream)
            except SlackApiError as error:
                refused = error  # for good; the agents are to be told all the same
        match outcome:
            case InProgress(workflow=name, request=str(request)):
                desk.workflow(name).announce(request)
            case Deflected(workflow=name, request=str(request)):
                desk.workflow(name).put_away(request)
            case Escalated(ticket=str(ticket), follow_up=True):
                name = desk.triage.name_of(turn.user)
                desk.triage.relay_to_agents(ticket, key=turn.key, name=name, text=turn.text)
                if outcome.reopened:
                    desk.triage.announce(ticket)
                keep_files(desk, ticket, turn.files, owner=turn.user)
            case Escalated(ticket=str(ticket)):
                desk.triage.announce(ticket)
                with desk.database.reading() as session:
                    turns = [*turns_before(session, conversation, turn), turn]
                keep_files(desk, ticket, (file for told in turns for file in told.files), owner=turn.user)
            case _:
                pass
        if refused is not None:
            raise refused
        self._signs.show_done(conversation, turn, outcome, handed_over)
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
        """Whether the reply to the first version now answers the edited one; False if Slack won't have it changed:
        it was deleted, or is too old."""
        try:
            self._desk.slack.update(channel=post.channel, ts=ts, text=rendered.text, blocks=rendered.blocks)
        except SlackApiError as error:
            log.warning("the reply %s can't be changed (%s)", post.key, error.response.get("error"))
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
