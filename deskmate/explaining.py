"""A turn's trace in words that a knowledge manager understands; pure text, at most a screen."""

import textwrap
from collections.abc import Collection
from typing import assert_never

from bot.outcomes import Answered, Clarified, Declined, Deflected, Escalated, InProgress, Outcome
from bot.routing import NEAR, SURE, Route
from bot.why import Branch, Why
from knowledge.trace import BELOW, Candidate, Trace

SHOWN = 8
"""Candidates; the rest is in the JSON."""
LABEL = 11

FEATURES = {
    "cosine": "closeness in meaning",
    "above": "lead over other articles",
    "spread": "the same in deviations",
    "coverage": "share of the question's words found",
    "agreed": "best by words, too",
    "length": "length of the question",
    "met": "rarest word found",
    "missed": "rarest word missing",
}


def explained(outcome: Outcome, why: Why, width: int) -> str:
    """The verdict, how the message was understood, and what the search found."""
    lines = [*textwrap.wrap(verdict(outcome, why), width), ""]
    if why.route is not None:
        lines.append(line("Message", understood(why, why.route), width))
    if why.search is not None:
        shown = outcome.answer.passage_ids if isinstance(outcome, Answered) else ()
        for search in (why.search, *why.further):
            if why.further:
                lines += ["", line("Question", one_line(search.question), width)]
            lines += searched(search, shown, width)
    return "\n".join(lines).rstrip()


def verdict(outcome: Outcome, why: Why) -> str:
    """What it did and why, in one or two sentences."""
    did, branch = action(outcome), why.branch
    match branch:
        case Branch.OPEN_TICKET:
            return f"{did}, because the conversation has an open ticket. Nothing was searched."
        case Branch.UNREADABLE:
            return f"{did}, because it found no question that it could read in the message."
        case Branch.TICKET_NUMBER:
            return f"{did}, because the message names a ticket."
        case Branch.HUMAN_WISH:
            return f"{did}, because the message asks for a person."
        case Branch.NOT_SOLVED:
            return f"{did}, because the message says that the answer before it didn't help."
        case Branch.MY_TICKETS:
            return f"{did}, because the message asks for the person's tickets."
        case Branch.SMALL_TALK:
            return f"{did}, because the message is small talk."
        case Branch.ROUTINE:
            refused = f" It was refused: {one_line(why.refused)}" if why.refused else ""
            return f"{did}, because the message asks for something that a workflow does.{refused}"
        case Branch.TROUBLE:
            return f"{did}, because something broke while it decided. The desk's log has the error."
        case Branch.KNOWLEDGE_BASE:
            return f"{did}, because {why.because}{how_sure(why)}"
        case _:
            assert_never(branch)


def action(outcome: Outcome) -> str:
    match outcome:
        case Answered(parts=parts) if parts:
            return f"It answered {sum(part.answer is not None for part in parts)} of {len(parts)} questions"
        case Answered(answer=answer):
            source = answer.citations[0] if answer.citations else None
            where = f' ("{one_line(source.heading)}")' if source and source.heading else ""
            return f'It answered from "{one_line(source.title)}"{where}' if source else "It answered"
        case Clarified():
            return "It asked back"
        case Deflected(workflow=workflow, request=str()):
            return f"It stopped a request of the workflow {workflow}"
        case Deflected():
            return "It did it by itself"
        case InProgress(workflow=workflow):
            return f"It started the workflow {workflow}"
        case Escalated(ticket=ticket, follow_up=True):
            return f"It passed the message on to {ticket}"
        case Escalated(ticket=ticket):
            return f"It brought in a person ({ticket or 'a ticket would be opened'})"
        case Declined():
            return "It declined"
        case _:
            assert_never(outcome)


def how_sure(why: Why) -> str:
    """Goes on after the reason, to the end of the sentence or one further."""
    search = why.search
    if why.further or search is None or not search.candidates:
        return "."
    if search.decision == "answer":
        return f": {search.confidence:.2f}, and the bar is {search.threshold:.2f}."
    asking = why.asking_from
    too = f" (and of {asking:.2f} for asking back)" if asking is not None and search.confidence < asking else ""
    reservation = "" if search.because == BELOW else f" ({search.because})"
    best = one_line(search.candidates[0].title)
    sure = f"it is {search.confidence:.2f} sure of it{reservation}"
    return f'. The best that it found is "{best}": {sure}, below the bar of {search.threshold:.2f}{too}.'


def understood(why: Why, route: Route) -> str:
    """How the message was told from others, before anything was searched."""
    if why.branch is Branch.KNOWLEDGE_BASE:
        kind = "a question" if route.on_topic else "a question, though not about IT,"
        return f"{kind} for the knowledge base{nearness(route)}"
    return f"{why.branch.value.replace('_', ' ')}{nearness(route)}"


def nearness(route: Route) -> str:
    if not route.nearest:
        return ", told by its words"
    example = route.nearest[0]
    score = f"{example.score:.2f}"
    if route.sure is not None:
        score += f"; {route.sure:.2f} sure that it is a routine request, {SURE:.2f} needed"
    elif example.intent in NEAR:
        score = f"an example of {example.intent.value.replace('_', ' ')}, {score} of {NEAR[example.intent]:.2f} needed"
    return f'; nearest to "{one_line(example.text)}" ({score})'


def searched(search: Trace, shown: Collection[int], width: int) -> list[str]:
    lines = []
    for message in search.earlier[-3:]:
        lines.append(line("After", one_line(message), width))
    if search.replaced:
        said = ", ".join(f"{old or '(nothing)'} → {new or '(left out)'}" for old, new in search.replaced)
        lines.append(line("Read as", f"{one_line(search.understood)}  ({one_line(said)})", width))
    lines.append(line("Searched", f"{where(search)}; {search.considered} passages came into question", width))
    if search.candidates:
        lines += ["", *table(search.candidates[:SHOWN], shown, width), ""]
    if search.features:
        told = ", ".join(f"{FEATURES.get(name, name)} {value:.2f}" for name, value in search.features.items())
        lines.append(line("Sure", f"{search.confidence:.2f}, by {told}", width))
    versions = search.versions
    index = f"index {versions.generation}, at change {versions.catalogue_change}; confidence {versions.confidence}"
    lines.append(line("With", index, width))
    times = [f"{stage.name} {stage.ms:.1f} ms" for stage in search.stages if stage.ms is not None]
    if times:
        lines.append(line("Took", ", ".join(times), width))
    return lines


def where(search: Trace) -> str:
    restricted = sum(key != "everybody" for key in search.access_sets)
    if not restricted:
        return "articles for everybody"
    return f"articles for everybody, and {restricted} {'set' if restricted == 1 else 'sets'} of restricted ones"


def table(candidates: tuple[Candidate, ...], shown: Collection[int], width: int) -> list[str]:
    """A star marks what is `shown` in the answer."""
    lines = ["   #  score  by meaning  by words   article"]
    for place, each in enumerate(candidates, 1):
        words = f"{each.sparse:.2f} ({each.rank_sparse})" if each.rank_sparse else "-"
        meaning = f"{each.cosine:.2f} ({each.rank_dense})"
        star = "*" if each.passage_id in shown else " "
        begin = f"{star}{place:>3}  {each.score:>5.2f}  {meaning:<10}  {words:<9}  "
        title = each.title if each.heading in (None, each.title) else f"{each.title} › {each.heading}"
        lines.append(begin + one_line(title, max(width - len(begin), 20)))
    return lines


def line(label: str, text: str, width: int) -> str:
    """A label and what belongs to it, continued below itself, at most four lines."""
    indent = " " * LABEL
    return textwrap.fill(
        text,
        width,
        initial_indent=f"{label:<{LABEL}}",
        subsequent_indent=indent,
        max_lines=4,
        placeholder=" …",
        break_on_hyphens=False,
    )


def one_line(text: str, limit: int = 300) -> str:
    """Without what a terminal would obey."""
    words = " ".join(text.split())
    shown = "".join(character for character in words if character.isprintable())
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
