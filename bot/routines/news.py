"""What people see of a routine request: the employee's card and news, the approver's card. Slack only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.blocks import kit
from bot.blocks.markup import escaped
from bot.message import escape
from bot.records import Post
from bot.routines.cards import APPROVAL_CARD, CARD, QUESTION, Actions, approval_card, card, whole
from bot.routines.records import Approval, RoutineRequest, tasks_of
from bot.routines.routine import Routine
from bot.routines.task_cards import TASKS_CARD, tasks_card
from bot.slack import Block, Slack
from store import Database


@dataclass(frozen=True)
class RoutineNews:
    """`text`s are plain. Everything is posted once, by its key, and cards are brought up to date."""

    database: Database
    slack: Slack

    def show_card(self, routine: Routine[Any], request_id: str, page: str = "") -> None:
        """The employee's card, in their own direct messages, as things stand. `page`: where they prove themselves."""
        with self.database.reading() as session:
            request = session.get_one(RoutineRequest, request_id)
            post = session.get(Post, self._key(request_id))
            tasks = tasks_of(session, request_id)
        text, blocks = card(routine, request, page, tasks)
        if post is not None and post.ts is not None:
            self._update(post.channel, post.ts, text, blocks)
            return
        channel = self.slack.workspace.dm(request.slack_user)
        thread = request.thread_ts if request.channel == channel else None
        self.slack.post(
            self._key(request_id),
            channel=channel,
            thread_ts=thread,
            text=escape(text),
            blocks=blocks,
            purpose=CARD,
            ref=request_id,
        )

    def say(self, request_id: str, key: str, text: str) -> None:
        """To the employee, where their card is."""
        with self.database.reading() as session:
            request = session.get_one(RoutineRequest, request_id)
            post = session.get(Post, self._key(request_id))
        channel = self.slack.workspace.dm(request.slack_user)
        thread = request.thread_ts if request.channel == channel else (post.ts if post else None)
        self.slack.post(
            f"routine:{request_id}:{key}",
            channel=channel,
            thread_ts=thread,
            text=escape(text),
            purpose="routine_news",
            ref=request_id,
        )

    def show_approval(self, routine: Routine[Any], approval_id: int) -> None:
        """The approver's card, in their direct messages, as things stand."""
        with self.database.reading() as session:
            approval = session.get_one(Approval, approval_id)
            request = session.get_one(RoutineRequest, approval.request)
            post = session.get(Post, self._approval_key(approval_id))
        text, blocks = approval_card(routine, request, approval)
        if post is not None and post.ts is not None:
            self._update(post.channel, post.ts, text, blocks)
            return
        self.slack.post(
            self._approval_key(approval_id),
            channel=self.slack.workspace.dm(approval.slack_user),
            text=escape(text),
            blocks=blocks,
            purpose=APPROVAL_CARD,
            ref=str(approval_id),
        )

    def pass_on(self, routine: Routine[Any], approval_id: int, number: int) -> None:
        """What an approver asks, to the employee, with a button to answer it; what they answer, below the card."""
        with self.database.reading() as session:
            approval = session.get_one(Approval, approval_id)
            request = session.get_one(RoutineRequest, approval.request)
            card = session.get(Post, self._approval_key(approval_id))
        said, key = approval.talk[number], f"approval:{approval_id}:talk:{number}"
        if not said["asks"]:
            if card is not None and card.ts is not None:
                text = f"{request.name} answers: {said['text']}"
                self.slack.post(
                    key,
                    channel=card.channel,
                    thread_ts=card.ts,
                    text=escape(text),
                    purpose="approval_news",
                    ref=str(approval_id),
                )
            return
        wish = whole(routine, request)
        what = routine.asks(wish) if wish is not None else routine.title
        channel = self.slack.workspace.dm(request.slack_user)
        answer = kit.button("Answer", Actions(routine.name).answer, style="primary")
        self.slack.post(
            key,
            channel=channel,
            thread_ts=request.thread_ts if request.channel == channel else None,
            text=escape(f"Before it is decided, {approval.why} asks: {said['text']}"),
            blocks=[
                kit.section_mrkdwn(f"*{escaped(f'Before it is decided: {what}', 500)}*"),
                kit.section(f"Asked by {approval.why} ({approval.account}): {said['text']}"),
                kit.actions(answer),
            ],
            purpose=QUESTION,
            ref=str(approval_id),
        )

    def show_tasks(self, routine: Routine[Any], request_id: str, channel: str | None) -> None:
        """The card of what people have to do, in the triage channel, as things stand; nothing if there is nothing."""
        with self.database.reading() as session:
            request = session.get_one(RoutineRequest, request_id)
            tasks = tasks_of(session, request_id)
            post = session.get(Post, self._tasks_key(request_id))
        if not tasks:
            return
        text, blocks = tasks_card(routine, request, tasks)
        if post is not None and post.ts is not None:
            self._update(post.channel, post.ts, text, blocks)
        elif channel is not None:
            self.slack.post(
                self._tasks_key(request_id),
                channel=channel,
                text=escape(text),
                blocks=blocks,
                purpose=TASKS_CARD,
                ref=request_id,
            )

    def remind_of_tasks(self, request_id: str, key: str) -> None:
        """Below the card of the tasks, once for each key."""
        with self.database.reading() as session:
            post = session.get(Post, self._tasks_key(request_id))
            left = [task.text for task in tasks_of(session, request_id) if task.done_by is None]
        if left and post is not None and post.ts is not None:
            self.slack.post(
                f"routine:{request_id}:tasks:{key}",
                channel=post.channel,
                thread_ts=post.ts,
                text=escape(f"This still waits for you: {'; '.join(left)}."),
                purpose="tasks_news",
                ref=request_id,
            )

    def remind(self, approval_id: int, day: str) -> None:
        with self.database.reading() as session:
            post = session.get(Post, self._approval_key(approval_id))
        if post is not None and post.ts is not None:
            self.slack.post(
                f"approval:{approval_id}:reminder:{day}",
                channel=post.channel,
                thread_ts=post.ts,
                text="This still waits for your decision.",
                purpose="approval_news",
                ref=str(approval_id),
            )

    def _update(self, channel: str, ts: str, text: str, blocks: Sequence[Block]) -> None:
        try:
            self.slack.update(channel=channel, ts=ts, text=escape(text), blocks=blocks)
        except SlackApiError as error:
            if error.response.get("error") not in ("message_not_found", "edit_window_closed", "cant_update_message"):
                raise

    @staticmethod
    def _key(request_id: str) -> str:
        return f"routine:{request_id}:card"

    @staticmethod
    def _tasks_key(request_id: str) -> str:
        return f"routine:{request_id}:tasks"

    @staticmethod
    def _approval_key(approval_id: int) -> str:
        return f"approval:{approval_id}:card"
