"""What an employee sees of each outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from bot.blocks import kit
from bot.blocks.markup import escaped, link, markdown, web_address, words
from bot.blocks.tables import with_tables_told
from bot.outcomes import Answered, Clarified, Declined, Deflected, Escalated, HandoffReason, InProgress, Outcome, Part
from bot.slack import Block
from knowledge.library import Answer, Citation

ANSWER_MORE = "answer_more"
ANSWER_HUMAN = "answer_human"
ANSWER_TICKET = "answer_ticket"
ANSWER_FEEDBACK = "answer_feedback"
CLARIFY_OPTION = "clarify_option"
"""The option's place follows, `clarify_option_0`: action ids in one message differ."""

FALLBACK = 3_000
QUESTION = 200
"""Characters of a question that is shown above its answer."""
SHOWN_OPTIONS = 5
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True)
class Rendered:
    text: str
    """Slack's escaped form, the whole message in plain words, at most 3,000 characters: what a notification and a
    screen reader say."""
    blocks: list[Block]


def fallback(text: str) -> str:
    """Plain text as a message's `text`; Slack refuses an empty one."""
    return escaped(text, FALLBACK).strip() or "(no words)"


def render(outcome: Outcome, *, surface: str) -> Rendered:
    """The reply for an outcome; `surface` is the conversation's: `im`, `assistant`, `channel` or `command`."""
    match outcome:
        case Answered(parts=parts) if parts:
            return _each_answered(parts)
        case Answered():
            return _answered(outcome)
        case Clarified(text=text, options=options):
            buttons = [kit.button(option, f"{CLARIFY_OPTION}_{n}") for n, option in enumerate(options[:SHOWN_OPTIONS])]
            asked = f"{text} ({' / '.join(options[:SHOWN_OPTIONS])})" if buttons else text
            return Rendered(fallback(asked), _with_buttons(text, buttons))
        case Deflected(text=text):
            return Rendered(fallback(text), [kit.section(text)])
        case InProgress(text=text):
            return Rendered(fallback(text), [kit.section(text)])
        case Escalated():
            said = _escalated(outcome, surface)
            return Rendered(fallback(said), [kit.section(said)])
        case Declined(text=text, offer_ticket=offer):
            offers = [kit.button("Open a ticket", ANSWER_TICKET), kit.button("Talk to a human", ANSWER_HUMAN)]
            return Rendered(fallback(text), _with_buttons(text, offers if offer else []))
        case _:
            assert_never(outcome)


def _with_buttons(text: str, buttons: list[Block]) -> list[Block]:
    return [kit.section(text), *([kit.actions(*buttons)] if buttons else [])]


def source_name(citation: Citation) -> str:
    return f"{citation.title} › {citation.heading}" if citation.heading else citation.title


def named_source(citation: Citation) -> str:
    """Plain text: the source with its open address, if that isn't too long to be read out."""
    url = web_address(place_of(citation))
    return source_name(citation)[:200] + (f" ({url})" if url and len(url) <= 300 else "")


def place_of(citation: Citation) -> str | None:
    """The link to the heading, or to the article when its place on the page isn't known."""
    return f"{citation.url}#{citation.anchor}" if citation.url and citation.anchor else citation.url


def age_of(citation: Citation) -> str:
    if citation.updated_at is None:
        return ""
    told = f"updated {MONTHS[citation.updated_at.month - 1]} {citation.updated_at.year}"
    return f"{told}, more than two years ago" if citation.old else told


def cited(sign: str, citation: Citation) -> str:
    """`mrkdwn`: where the answer is from, and how old that is."""
    age = age_of(citation)
    return f"{sign} {link(source_name(citation), place_of(citation))}{f' · {age}' if age else ''}"


def _told(answer: Answer, citations: Sequence[Citation], share: int) -> tuple[str, list[Block]]:
    """An answer with its sources in words and as blocks, each at most a `share`-th of what a message may hold."""
    limit = FALLBACK // share - (QUESTION + 3 if share > 1 else 0)
    named = "; ".join(
        ", ".join(part for part in (named_source(citation), age_of(citation)) if part) for citation in citations
    )
    sources = escaped(f"\n\nSources: {named}", limit // 2) if named else ""
    said = with_tables_told(answer.text)
    text = (escaped(words(said), limit - len(sources)) + sources).strip() or "(no words)"
    blocks = [kit.markdown(markdown(said, kit.MARKDOWN // share))]
    if citations:
        signs = ["📄"] * 3 if answer.wording == "article" else ["[1]", "[2]", "[3]"]
        blocks.append(kit.context(*map(cited, signs, citations)))
    return text, blocks


def _answered(outcome: Answered) -> Rendered:
    answer = outcome.answer
    text, blocks = _told(answer, answer.citations[:3], 1)
    buttons = [kit.button("Show all steps", ANSWER_MORE)] if answer.more else []
    blocks.append(kit.actions(*buttons, kit.button("Talk to a human", ANSWER_HUMAN)))
    blocks.append(kit.feedback(ANSWER_FEEDBACK))
    return Rendered(text, blocks)


def _each_answered(parts: Sequence[Part]) -> Rendered:
    """Question by question. All `markdown` blocks of a message share one limit, and so do all words of its `text`."""
    blocks: list[Block] = []
    texts: list[str] = []
    for number, part in enumerate(parts):
        question = f"{number + 1}. {part.question}"
        blocks.append(kit.section_mrkdwn(f"*{escaped(question, QUESTION)}*"))
        if part.answer is None:
            blocks.append(kit.section(part.said))
            texts.append(escaped(f"{question[:QUESTION]}\n{part.said}", FALLBACK // len(parts) - 2))
        else:
            text, shown = _told(part.answer, part.answer.citations[:3], len(parts))
            blocks += shown
            texts.append(escaped(question, QUESTION) + "\n" + text)
    buttons = [
        kit.button(f"Show all steps ({number + 1})", f"{ANSWER_MORE}_{number}")
        for number, part in enumerate(parts)
        if part.answer is not None and part.answer.more
    ]
    offered = [
        kit.button(part.question, f"{CLARIFY_OPTION}_{number}") for number, part in enumerate(parts) if part.offered
    ]
    blocks.append(kit.actions(*offered[:SHOWN_OPTIONS], *buttons, kit.button("Talk to a human", ANSWER_HUMAN)))
    blocks.append(kit.feedback(ANSWER_FEEDBACK))
    return Rendered("\n\n".join(texts), blocks)


def _escalated(outcome: Escalated, surface: str) -> str:
    here = "here in this conversation" if surface == "command" else "right here in this thread"
    if outcome.ticket is None:
        return "This needs a person: I would open a ticket and bring in an agent."
    if outcome.reopened:
        return f"Sorry about that. {outcome.ticket} is open again; an agent goes on with it and answers {here}."
    if outcome.follow_up:
        return f"Added to ticket {outcome.ticket}. An agent will see it and answer {here}."
    why = OPENINGS[outcome.handoff.reason]
    return (
        f"{why}I've opened ticket {outcome.ticket} and passed on what you wrote, so you needn't explain it again. "
        f"An agent will answer {here}; you can add details at any time."
    )


OPENINGS = {
    HandoffReason.NO_KNOWLEDGE: "I found nothing that answers this. ",
    HandoffReason.LOW_CONFIDENCE: "I'm not sure enough of an answer to this. ",
    HandoffReason.EMPLOYEE_ASKED: "Of course. ",
    HandoffReason.WORKFLOW_FAILED: "I couldn't finish this myself. ",
    HandoffReason.POLICY: "A person has to decide this. ",
    HandoffReason.NEGATIVE_FEEDBACK: "Sorry that this didn't help. ",
}
