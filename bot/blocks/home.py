"""The App Home: one's own tickets, and for agents what waits for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.blocks import kit
from bot.blocks.markup import escaped
from bot.blocks.triage import moment
from bot.slack import Block

SHOWN = 20


@dataclass(frozen=True)
class Line:
    """A ticket in a list; plain texts."""

    number: str
    title: str
    state: str
    updated_at: datetime
    people: str = ""
    """Who it waits for or comes from."""


def home(
    mine: Sequence[Line],
    *,
    waiting: Sequence[Line] = (),
    claimed: Sequence[Line] = (),
    unclaimed: Sequence[Line] = (),
    agent: bool,
) -> Block:
    """The view for `views.publish`; each list newest first, at most 20 of each are shown."""
    blocks = [
        kit.header("Your service desk"),
        kit.section(
            "Ask a question in the Messages tab: write as you would to a colleague. You get an answer with its "
            "sources, the thing done, or a person who already knows the story."
        ),
        *([kit.divider(), *_list("Waits for your approval", waiting, "")] if waiting else []),
        kit.divider(),
        *_list("Your open tickets", mine, "You have no open tickets."),
    ]
    if agent:
        blocks += [kit.divider(), *_list("Claimed by you", claimed, "You have claimed nothing that is open.")]
        blocks += [kit.divider(), *_list("Unclaimed", unclaimed, "Nothing waits for an agent.")]
    return {"type": "home", "blocks": blocks[:100]}


def _list(title: str, lines: Sequence[Line], empty: str) -> list[Block]:
    blocks = [kit.header(title)]
    for line in lines[:SHOWN]:
        about = " · ".join(part for part in (line.state, line.people) if part)
        name = f"*{escaped(line.number, 40)}* {escaped(line.title, 300)}"
        blocks.append(kit.section_mrkdwn(f"{name}\n{escaped(about, 300)} · {moment(line.updated_at)}"))
    if not lines:
        blocks.append(kit.context(escaped(empty)))
    if len(lines) > SHOWN:
        blocks.append(kit.context(f"{len(lines) - SHOWN} more aren't shown."))
    return blocks
