"""The cards and forms of a routine request, as blocks: the employee's, the approver's. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.blocks import kit
from bot.blocks.markup import escaped
from bot.routines.records import Approval, RequestTask, RoutineRequest
from bot.routines.routine import Level, Risk, Routine
from bot.slack import Block

CARD, APPROVAL_CARD, QUESTION = "routine_card", "approval_card", "approval_question"
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
    "unfulfilled": "It can't be done.",
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
    def ask(self) -> str:
        return f"{self.name}_ask"

    @property
    def answer(self) -> str:
        return f"{self.name}_answer"

    @property
    def question_form(self) -> str:
        return f"{self.name}_question_form"

    @property
    def answer_form(self) -> str:
        return f"{self.name}_answer_form"

    @property
    def tick(self) -> str:
        """The number of a task follows, `…_tick_2`."""
        return f"{self.name}_tick"

    @property
    def refuse(self) -> str:
        return f"{self.name}_refuse"

    @property
    def refusal_form(self) -> str:
        return f"{self.name}_refusal"

    @property
    def form(self) -> str:
        return f"{self.name}_form"

    @property
    def denial_form(self) -> str:
        return f"{self.name}_denial"


def card(
    routine: Routine[Any], request: RoutineRequest, page: str, tasks: Sequence[RequestTask] = ()
) -> tuple[str, list[Block]]:
    """What is asked for and how far it is, as plain text and as blocks."""
    wish = whole(routine, request)
    what = routine.asks(wish) if wish is not None else routine.title
    lines, buttons = _progress(routine, request, page, complete=wish is not None)
    if request.state == "fulfilling":
        lines += [f"\n{'☑' if task.done_by else '☐'} {task.text}" for task in tasks]
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
        case "proven":
            return ["Thank you: it's you. I go on at once."], [cancel]
        case "asked":
            return ["Waiting for the approval."], [cancel]
        case "fulfilling":
            return ["Approved. People have to do this:"], [cancel]
        case "approved":
            return ["Approved. It is being done."], []
        case "doing":
            return ["It is being done."], []
        case state:
            recorded = f" It's recorded as {request.ticket}." if request.ticket else ""
            return [DONE_WITH[state], *([request.refusal] if request.refusal else []), recorded.strip()], []


def _what_follows(routine: Routine[Any]) -> str:
    if routine.risk is Risk.APPROVAL:
        proof = {Level.L2: "a proof that it's you, and "}.get(routine.level, "")
        doer = "people do it, and I tell you" if _by_people(routine) else "I do it myself and tell you"
        return f"Once you ask for it, it needs {proof}an approval ({routine.approver}); then {doer}."
    proof = "" if routine.level is Level.L1 else " First I ask you to prove that it's you."
    return f"I do it myself, at once, and tell you.{proof}"


def _by_people(routine: Routine[Any]) -> bool:
    return type(routine).tasks is not Routine.tasks


def approval_card(routine: Routine[Any], request: RoutineRequest, approval: Approval) -> tuple[str, list[Block]]:
    wish = whole(routine, request)
    what = routine.asks(wish, request.name) if wish is not None else routine.title
    text = f"{request.name} asks for your approval. {what}."
    cells = {
        "Who": f"{request.name} ({request.account})",
        "What": what,
        "Risk": routine.risk.value,
        "Undone": routine.undone_by,
        "You are asked as": as_approver(approval.why),
    }
    reason = request.wish.get("reason")
    blocks: list[Block] = [
        kit.section_mrkdwn(f"*{escaped(request.name, 200)} asks for your approval*"),
        kit.fields([f"*{name}*\n{escaped(value, 500)}" for name, value in cells.items()]),
    ]
    if reason:
        blocks.append(kit.section(f"What for: {reason}"))
    for said in approval.talk:
        blocks.append(kit.section(f"{'You asked' if said['asks'] else f'{request.name} answered'}: {said['text']}"))
    actions = Actions(routine.name)
    if approval.state == "waiting" and request.state == "asked":
        blocks.append(
            kit.actions(
                kit.button("Approve", actions.approve, style="primary"),
                kit.button("Deny", actions.deny, style="danger"),
                kit.button("Ask", actions.ask, says="Ask for more before you decide"),
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


def talk_form(routine: Routine[Any], form: str, request: RoutineRequest, approval: Approval) -> Block:
    """Where an approver asks back, or the employee answers."""
    asks = form == Actions(routine.name).question_form
    about = (
        f"{request.name}: {routine.title}"
        if asks
        else next((said["text"] for said in reversed(approval.talk) if said["asks"]), routine.title)
    )
    label = "What do you want to know?" if asks else "Your answer"
    question = kit.question("text", label, kit.text_input(limit=500))
    return kit.modal(form, "Ask for more" if asks else "Answer", [kit.section(about), question], submit="Send")


def as_approver(why: str) -> str:
    """The rule by which somebody is asked, as they read it: `their manager`."""
    return why.replace("your ", "their ")
