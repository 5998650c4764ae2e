"""What agents see: a ticket's card, details and form; and what an employee sees at its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.blocks import kit
from bot.blocks.markup import escaped, link
from bot.blocks.outcomes import Rendered, fallback
from bot.outcomes import Handoff, HandoffReason
from bot.slack import Block

TRIAGE_CLAIM = "triage_claim"
TRIAGE_RESOLVE = "triage_resolve"
TRIAGE_DETAILS = "triage_details"
RESOLVE_FORM = "resolve_form"
RESOLUTION = "resolution"
RATE = "rate"
"""The stars follow, `rate_5`."""
STILL_BROKEN = "still_broken"

REASONS = {
    HandoffReason.NO_KNOWLEDGE: "nothing in the knowledge base answers it",
    HandoffReason.LOW_CONFIDENCE: "Deskmate wasn't sure of its answer",
    HandoffReason.EMPLOYEE_ASKED: "the employee asked for a human",
    HandoffReason.WORKFLOW_FAILED: "Deskmate couldn't finish a routine request",
    HandoffReason.POLICY: "policy wants a human to decide",
    HandoffReason.NEGATIVE_FEEDBACK: "the answer didn't help",
}
RELAYED = "Once claimed, what you write in this thread goes to the employee; begin with `//` for a note."
NOT_RELAYED = "What you write in this thread stays a note: no employee reads along."
HINT = "The employee gets this text, and can say if it's still broken."
RATINGS = ("Poor", "Fair", "Good", "Very good", "Excellent")


@dataclass(frozen=True)
class Card:
    """A ticket as the triage channel shows it; every text is plain."""

    number: str
    title: str
    employee: str
    handoff: Handoff
    priority: str
    state: str
    open: bool
    claimed_by: str | None
    opened_at: datetime
    files: tuple[str, ...] = ()
    has_reader: bool = True
    """An employee reads what the agent writes."""


SHOWN_ENTRIES = 40
SHOWN_CHARACTERS = 15_000  # of all entries: in any alphabet a view stays below Slack's 250 kB


@dataclass(frozen=True)
class Entry:
    """One entry of the worklog, plain text."""

    author: str
    public: bool
    text: str
    at: datetime


def moment(at: datetime) -> str:
    """A `mrkdwn` date in each reader's own time zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"


def card(ticket: Card) -> Rendered:
    """The card; its text says the same in words."""
    owner = ticket.claimed_by or "nobody yet"
    text = (
        f"{ticket.number}: {ticket.title}. From {ticket.employee}, because {REASONS[ticket.handoff.reason]}. "
        f"Priority {ticket.priority}, {ticket.state}, claimed by {owner}. {ticket.handoff.summary}"
    )
    cells = {
        "From": ticket.employee,
        "Why": REASONS[ticket.handoff.reason],
        "Priority": ticket.priority,
        "State": ticket.state,
        "Claimed by": owner,
    }
    blocks = [
        kit.header(f"{ticket.number} · {ticket.title}"),
        kit.fields(
            [f"*{name}*\n{escaped(value, 500)}" for name, value in cells.items()]
            + [f"*Opened*\n{moment(ticket.opened_at)}"]
        ),
        kit.section(ticket.handoff.summary),
    ]
    if ticket.files:
        blocks.append(kit.context(f"📎 {escaped(', '.join(ticket.files), 1_000)}"))
    if ticket.handoff.tried:
        blocks.append(kit.context("Tried:", *(_tried(t.title, t.url, t.confidence) for t in ticket.handoff.tried[:5])))
    if ticket.open:
        claim = [] if ticket.claimed_by else [kit.button("Claim", TRIAGE_CLAIM, style="primary")]
        blocks.append(kit.actions(*claim, kit.button("Resolve", TRIAGE_RESOLVE), kit.button("Details", TRIAGE_DETAILS)))
        blocks.append(kit.context(RELAYED if ticket.has_reader else NOT_RELAYED))
    else:
        blocks.append(kit.actions(kit.button("Details", TRIAGE_DETAILS)))
    return Rendered(fallback(text), blocks)


def _tried(title: str, url: str | None, confidence: float) -> str:
    return f"{link(title, url)} ({confidence:.0%})"


def resolve_form(number: str, title: str) -> Block:
    answer = kit.text_input(placeholder="What was wrong, and what put it right")
    return kit.modal(
        RESOLVE_FORM,
        f"Resolve {number}",
        [
            kit.section(title),
            kit.question(RESOLUTION, "Resolution", answer, hint=HINT),
        ],
        submit="Resolve",
    )


def details(ticket: Card, worklog: Sequence[Entry]) -> Block:
    """A modal with the newest entries of the worklog, oldest first."""
    shown = newest(worklog)
    blocks = [
        kit.section(ticket.title),
        kit.context(
            escaped(f"From {ticket.employee} · {ticket.priority} · {ticket.state} · {ticket.claimed_by or 'unclaimed'}")
        ),
        kit.section(ticket.handoff.summary),
        kit.divider(),
    ]
    if len(worklog) > len(shown):
        blocks.append(kit.context(f"{len(worklog) - len(shown)} earlier entries aren't shown."))
    for entry in shown:
        kind = "in the employee's thread" if entry.public else "internal note"
        blocks.append(kit.context(f"*{escaped(entry.author, 200)}* · {kind} · {moment(entry.at)}"))
        blocks.append(kit.section(entry.text))
    if not shown:
        blocks.append(kit.context("Nothing has been written yet."))
    return kit.modal("details", ticket.number, blocks, submit=None, close="Close")


def newest(worklog: Sequence[Entry]) -> Sequence[Entry]:
    """As many of the last entries as a view takes."""
    room = SHOWN_CHARACTERS
    for count, entry in enumerate(reversed(worklog[-SHOWN_ENTRIES:])):
        room -= min(len(entry.text), kit.SECTION)
        if room < 0:
            return worklog[len(worklog) - count :]
    return worklog[-SHOWN_ENTRIES:]


def resolved(number: str, agent: str, resolution: str) -> Rendered:
    """What the employee gets at the end, with the question how it went."""
    text = f"{agent} has resolved {number}: {resolution}"
    stars = [
        kit.button(f"{stars} ★", f"{RATE}_{stars}", says=f"{stars} of 5 stars: {name}")
        for stars, name in enumerate(RATINGS, start=1)
    ]
    return Rendered(
        fallback(text),
        [
            kit.section(f"✅ {agent} has resolved {number}:"),
            kit.section(resolution),
            kit.section("How did we do? If it isn't right yet, say so and the ticket goes on."),
            kit.actions(*stars),
            kit.actions(kit.button("Still broken", STILL_BROKEN, style="danger")),
        ],
    )


def settled(number: str, agent: str, resolution: str, thanks: str) -> Rendered:
    """The same message once the employee has answered the question."""
    return Rendered(
        fallback(f"{agent} has resolved {number}: {resolution} {thanks}"),
        [kit.section(f"{agent} has resolved {number}:"), kit.section(resolution), kit.context(escaped(thanks))],
    )
