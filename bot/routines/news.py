"""What people see of a routine request: the employee's card and news, the approver's card. Slack only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.blocks import kit
from bot.blocks.markup import escaped
from bot.message import escape
from bot.records import Post
from bot.routines.records import Approval, RoutineRequest
from bot.routines.routine import Level, Risk, Routine
from bot.slack import Block, Slack
from store import Database

CARD, APPROVAL_CARD = "routine_card", "approval_card"
PROVE = (
    "Prove that it's you: the page asks for the code of your authenticator app, or your security key. The link works "
    "once, for ten minutes."
)
DONE_WITH = {
    "done": "Done.",
    "ended": "Its time is over, and it was taken back.",
    "denied": "It was not approved.",
    "cancelled": "Cancelled: nothing has happened.",
    "expired": "Nobody decided in time, so nothing has happened.",
    "failed": "It could not be done, and everything is as it was before.",
    "stuck": "It could not be finished. A person looks after it.",
    "refused": "It can't be done.",
}


@dataclass(frozen=True)
class Actions:
    """The ids of a routine's buttons and forms."""

    name: str

    @property
    def fill_in(self) -> str:
        return f"{self.name}_fill_in"

    @property
    def confirm(self) -> str:
        return f"{self.name}_confirm"

    @property
    def cancel(self) -> str:
        return f"{self.name}_cancel"

    @property
    def prove(self) -> str:
        return f"{self.name}_prove"

    @property
    def approve(self) -> str:
        return f"{self.name}_approve"

    @property
    def deny(self) -> str:
        return f"{self.name}_deny"

    @property
    def form(self) -> str:
        return f"{self.name}_form"

    @property
    def denial_form(self) -> str:
        return f"{self.name}_denial"


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
        text, blocks = card(routine, request, page)
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
    def _approval_key(approval_id: int) -> str:
        return f"approval:{approval_id}:card"


def card(routine: Routine[Any], request: RoutineRequest, page: str) -> tuple[str, list[Block]]:
    """What is asked for and how far it is, as plain text and as blocks."""
    wish = whole(routine, request)
    what = routine.asks(wish) if wish is not None else routine.title
    lines, buttons = _progress(routine, request, page, complete=wish is not None)
    blocks: list[Block] = [kit.section_mrkdwn(f"*{escaped(what, 300)}*\n{escaped(' '.join(lines), 1_500)}")]
    if buttons:
        blocks.append(kit.actions(*buttons))
    return f"{what}. {' '.join(lines)}", blocks


def whole(routine: Routine[Any], request: RoutineRequest) -> Any | None:
    """The wish, once it is complete."""
    try:
        return routine.Wish.model_validate(request.wish)
    except ValueError:
        return None


def _progress(
    routine: Routine[Any], request: RoutineRequest, page: str, *, complete: bool
) -> tuple[list[str], list[kit.Element]]:
    actions = Actions(routine.name)
    cancel = kit.button("Cancel", actions.cancel)
    match request.state:
        case "drafted" if complete:
            first = kit.button(
                "Ask for it" if routine.risk is Risk.APPROVAL else "Do it", actions.confirm, style="primary"
            )
            change = [kit.button("Change", actions.fill_in)] if routine.Wish.model_fields else []
            return [_what_follows(routine)], [first, *change, cancel]
        case "drafted":
            return [_what_follows(routine)], [kit.button("Fill in the form", actions.fill_in, style="primary"), cancel]
        case "proving":
            prove = kit.button("Prove it", actions.prove, style="primary") | {"url": page}
            return [PROVE], [prove, cancel]
        case "asked":
            return ["Waiting for the approval."], [cancel]
        case "approved":
            return ["Approved. It is being done."], []
        case "doing":
            return ["It is being done."], []
        case state:
            recorded = f" It's recorded as {request.ticket}." if request.ticket else ""
            return [DONE_WITH[state], *([request.refusal] if request.refusal else []), recorded.strip()], []


def _what_follows(routine: Routine[Any]) -> str:
    if routine.risk is Risk.APPROVAL:
        proof = "" if routine.level is Level.L1 else "a proof that it's you, and "
        return (
            f"Once you ask for it, it needs {proof}an approval ({routine.approver}); then I do it myself and tell you."
        )
    proof = "" if routine.level is Level.L1 else " First I ask you to prove that it's you."
    return f"I do it myself, at once, and tell you.{proof}"


def approval_card(routine: Routine[Any], request: RoutineRequest, approval: Approval) -> tuple[str, list[Block]]:
    wish = whole(routine, request)
    what = routine.asks(wish) if wish is not None else routine.title
    text = f"{request.name} asks for your approval. {what}."
    cells = {
        "Who": f"{request.name} ({request.account})",
        "What": what,
        "Risk": routine.risk.value,
        "You": approval.why,
    }
    reason = request.wish.get("reason")
    blocks: list[Block] = [
        kit.section_mrkdwn(f"*{escaped(request.name, 200)} asks for your approval*"),
        kit.fields([f"*{name}*\n{escaped(value, 500)}" for name, value in cells.items()]),
    ]
    if reason:
        blocks.append(kit.section(f"What for: {reason}"))
    actions = Actions(routine.name)
    if approval.state == "waiting" and request.state == "asked":
        blocks.append(
            kit.actions(
                kit.button("Approve", actions.approve, style="primary"),
                kit.button("Deny", actions.deny, style="danger"),
            )
        )
    else:
        said = {"approved": "You approved it.", "denied": "You denied it."}.get(
            approval.state, "It is decided without you."
        )
        blocks.append(kit.context(escaped(f"{said} {DONE_WITH.get(request.state, '')}")))
    return text, blocks


def denial_form(routine: Routine[Any], request: RoutineRequest) -> Block:
    reason = kit.text_input(placeholder="The employee gets to read it", limit=500)
    return kit.modal(
        Actions(routine.name).denial_form,
        "Deny",
        [kit.section(f"{request.name}: {routine.title}"), kit.question("reason", "Why not", reason)],
        submit="Deny",
    )
