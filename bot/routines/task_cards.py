"""The card of a request's tasks in the triage channel, and the form of whoever can't do them. Pure."""

from collections.abc import Sequence
from typing import Any

from bot.blocks import kit
from bot.blocks.markup import escaped
from bot.routines.cards import DONE_WITH, Actions, whole
from bot.routines.records import RequestTask, RoutineRequest
from bot.routines.routine import Routine
from bot.slack import Block

TASKS_CARD = "tasks_card"
PROOFS = (
    "By these it is made sure that it's really them: each by another person, who neither asked for it nor approved it."
)


def tasks_card(routine: Routine[Any], request: RoutineRequest, tasks: Sequence[RequestTask]) -> tuple[str, list[Block]]:
    """Plain text and blocks."""
    wish = whole(routine, request)
    what = routine.asks(wish, request.name) if wish is not None else routine.title
    done = sum(task.done_by is not None for task in tasks)
    actions, at_work = Actions(routine.name), request.state == "fulfilling"
    cells = {"For": f"{request.name} ({request.account})", "What": what}
    if reason := request.wish.get("reason"):
        cells["What for"] = str(reason)
    blocks: list[Block] = [
        kit.header(f"{request.ticket} · {routine.title}"),
        kit.fields([f"*{name}*\n{escaped(value, 500)}" for name, value in cells.items()]),
    ]
    for task in tasks:
        button = kit.button("Done", f"{actions.tick}_{task.number}", says=f"Done: {task.text}")
        blocks.append(kit.section_mrkdwn(line(task), accessory=button if at_work and task.done_by is None else None))
    if any(task.proof for task in tasks):
        blocks.append(kit.context(PROOFS))
    if at_work:
        if done == len(tasks):
            until = f"{tasks[0].given_at + routine.rest:%-d %B, %H:%M} UTC"
            blocks.append(kit.context(f"All is done here. I do the rest at {until}, unless it is stopped before."))
        blocks.append(kit.actions(kit.button("Can't be done", actions.refuse, style="danger")))
        blocks.append(kit.context("What you write in this thread stays among you."))
    else:
        blocks.append(kit.context(escaped(DONE_WITH.get(request.state, "I do the rest."))))
    return f"{request.ticket}: {what}, for {request.name}. {done} of {len(tasks)} tasks are done.", blocks


def line(task: RequestTask) -> str:
    """`mrkdwn`."""
    due = f" _by {task.due:%-d %B}_" if task.due else ""
    if task.done_by is None:
        return f"☐ {escaped(task.text, 500)}{due}"
    return f"☑ {escaped(task.text, 500)} · <@{task.done_by}>"


def refusal_form(routine: Routine[Any], request: RoutineRequest) -> Block:
    why = kit.text_input(placeholder="The employee gets to read it", limit=500)
    return kit.modal(
        Actions(routine.name).refusal_form,
        "Can't be done",
        [kit.section(f"{request.name}: {routine.title}"), kit.question("reason", "Why not", why)],
        submit="Say so",
    )
