"""One turn: what is to come of a message. Reads only; `bot.turns` records the outcome and carries it out."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from bot.message import MAX_MESSAGE, has_words
from bot.outcomes import (
    Answered,
    Clarified,
    Declined,
    Deflected,
    Escalated,
    Handoff,
    HandoffReason,
    InProgress,
    Outcome,
    Tried,
)
from bot.people import Employee
from bot.proposing import Proposal, Proposer
from bot.routines.correcting import ASKED_ALREADY, Correction, corrects
from bot.routing import Intent, Route, Router
from bot.several import each_answered
from bot.ticket_texts import list_lines, status_line
from bot.why import Branch, Decision, Why
from bot.workflows.stoppable import Stoppable
from knowledge.evidence import Material
from knowledge.grounded import Grounded, Hearing
from knowledge.library import Answer, Library
from store import Database

TICKET_NUMBER = re.compile(r"\b(?:INC|REQ)[\s#-]*0*(\d{1,9})\b", re.IGNORECASE)
STILL_BROKEN = re.compile(
    r"\bstill\b.*\b(?:broken|no|not|nothing|same|there|happens?|fails?|\w+n'?t)\b|\bnot (?:fixed|solved|working)\b"
    r"|\bsame (?:problem|issue|error|thing)\b|\b(?:broken|happens?|happened|back|started) again\b",
    re.IGNORECASE,
)
SUMMARY_LIMIT = 2_000
FAR_OFF = 0.05
"""Confidence below which what was found isn't worth an agent's look."""
NEARLY = 0.1
"""Probability of a routine request from which on a language model is asked whether it is one."""
UNLIKE_ANYTHING = 0.3
"""Similarity to the nearest example below which a message is like nothing that people bring to an IT desk."""
ASK_A_HUMAN = "Talk to a human"


@dataclass(frozen=True)
class Asked:
    """What the desk knows of a message when it decides. All texts are plain."""

    text: str
    employee: Employee
    private: bool
    """In a direct message or the assistant pane; elsewhere only what everybody may see is used."""
    files: int = 0
    earlier: tuple[str, ...] = ()
    """The employee's previous messages, oldest first: of the thread, or of the last half hour in the direct message."""
    begins: bool = False
    """It begins a thread, so whatever is earlier was said in others, and may have been about something else."""
    last: Outcome | None = None
    """What came of the previous one."""
    ticket: str | None = None
    """Number of the conversation's open ticket."""
    claimed_by: str | None = None
    resolved: str | None = None
    """Number of the conversation's ticket that was resolved lately, when none is open."""
    stoppable: Callable[[], Stoppable | None] = lambda: None
    """The person's newest routine request of which nothing is done yet; looked up only if it is asked for."""
    correction: Callable[[], Correction | None] = lambda: None
    """What the message changes of the person's newest routine request; looked up only if it may."""
    hearing: Hearing | None = None
    """Who follows how an answer is written."""

    @property
    def groups(self) -> frozenset[str]:
        return self.employee.groups if self.private else frozenset()


NOT_IN_PUBLIC = Declined(
    "I don't show tickets where others read along. Ask me in a direct message, or with /desk my tickets.",
    offer_ticket=False,
)


class Knows(Protocol):
    """What deciding needs: the desk has it, and so has `deskmate ask`."""

    @property
    def library(self) -> Library: ...
    @property
    def router(self) -> Router: ...
    @property
    def database(self) -> Database: ...
    @property
    def grounded(self) -> Grounded | None: ...
    @property
    def proposer(self) -> Proposer | None: ...


def decide(desk: Knows, asked: Asked) -> Decision:
    """What is to come of a message. Nothing is written; the same message asked twice gets the same outcome, unless a
    language model words it."""
    if asked.ticket:
        return Decision(goes_to_the_ticket(asked, asked.ticket), Why(Branch.OPEN_TICKET))
    if picked := from_the_reading(desk, asked):
        return picked
    if unreadable := cannot_read(asked):
        return Decision(unreadable, Why(Branch.UNREADABLE))
    if wanted := TICKET_NUMBER.search(asked.text):
        outcome = status_of(desk, asked, wanted.group(1)) if asked.private else NOT_IN_PUBLIC
        return Decision(outcome, Why(Branch.TICKET_NUMBER))
    route = desk.router.route(asked.text)
    if route.intent is Intent.HUMAN:
        return Decision(escalate(asked, HandoffReason.EMPLOYEE_ASKED), Why(Branch.HUMAN_WISH, route=route))
    if asked.resolved and (route.intent is Intent.NOT_SOLVED or STILL_BROKEN.search(asked.text)):
        because = "it says that what was resolved isn't"
        return Decision(
            goes_to_the_ticket(asked, asked.resolved, reopened=True), Why(Branch.OPEN_TICKET, because, route)
        )
    if route.intent is Intent.NOT_SOLVED and isinstance(asked.last, Answered):
        outcome = escalate(asked, HandoffReason.NEGATIVE_FEEDBACK, asked.last.answer)
        return Decision(outcome, Why(Branch.NOT_SOLVED, route=route))
    if corrected := of_a_request(asked, route):
        return corrected
    if several := each_answered(desk.library, desk.router, asked.text, groups=asked.groups, earlier=asked.earlier):
        return several
    if route.intent is Intent.MY_TICKETS:
        outcome = my_tickets(desk, asked) if asked.private else NOT_IN_PUBLIC
        return Decision(outcome, Why(Branch.MY_TICKETS, route=route))
    if route.intent is Intent.CANCEL:
        return Decision(stopped(asked), Why(Branch.ROUTINE, route=route))
    if small := small_talk(route):
        return Decision(small, Why(Branch.SMALL_TALK, route=route))
    if route.intent is Intent.ROUTINE and route.workflow:
        outcome = InProgress(workflow=route.workflow, text="I can do that for you.")
        return Decision(outcome, Why(Branch.ROUTINE, route=route))
    if proposed := proposed_by_the_model(desk, asked, route):
        outcome = InProgress(proposed.workflow, "I can do that for you.", given=proposed.values)
        return Decision(outcome, Why(Branch.ROUTINE, "a language model took it for a wish for this", route))
    return from_the_knowledge_base(desk, asked, route)


def proposed_by_the_model(desk: Knows, asked: Asked, route: Route) -> Proposal | None:
    """What a language model, if there is one, takes a message for that is nearly a routine request."""
    if desk.proposer is None or route.sure is None or route.sure < NEARLY:
        return None
    return desk.proposer.propose(asked.text)


def goes_to_the_ticket(asked: Asked, ticket: str, *, reopened: bool = False) -> Outcome:
    handoff = Handoff(HandoffReason.EMPLOYEE_ASKED, summary=asked.text[:SUMMARY_LIMIT])
    return Escalated(handoff, ticket=ticket, follow_up=True, reopened=reopened, claimed_by=asked.claimed_by)


def cannot_read(asked: Asked) -> Outcome | None:
    if len(asked.text) >= MAX_MESSAGE:
        return Clarified(
            "That is more than I can read at once, but I have kept it. "
            "Tell me in two or three sentences what you need, or attach the log as a file."
        )
    if has_words(asked.text):
        return None
    if asked.files:
        return Clarified("Thanks, I've seen your file. I can't look inside it: tell me in a few words what goes wrong.")
    return Clarified("I didn't catch a question there. Tell me in a few words what you need.")


def status_of(desk: Knows, asked: Asked, digits: str) -> Outcome:
    with desk.database.reading() as session:
        return Deflected("ticket_status", status_line(session, digits, asked.employee.user))


def my_tickets(desk: Knows, asked: Asked) -> Outcome:
    with desk.database.reading() as session:
        return Deflected("ticket_status", list_lines(session, asked.employee.user))


def of_a_request(asked: Asked, route: Route) -> Decision | None:
    """What a message comes to that corrects or completes what was just asked for."""
    if not asked.private or route.intent is Intent.ROUTINE:
        return None
    if not corrects(asked.text):
        return None
    found = asked.correction()
    if found is None:
        return None
    because = Why(Branch.ROUTINE, "it corrects or completes what was just asked for", route)
    if found.too_late:
        return Decision(Clarified(ASKED_ALREADY), because)
    text = f"I've changed that: {found.title}. The card shows it; go on there."
    return Decision(InProgress(found.workflow, text, found.request, found.values), because)


def stopped(asked: Asked) -> Outcome:
    found = asked.stoppable()
    if found is None:
        return Clarified("All right. There is nothing under way for you that I could stop.")
    which = f": {found.title}" if asked.private else ""  # others needn't know what it was
    return Deflected(found.workflow, f"Stopped, and nothing was changed{which}.", found.request)


def small_talk(route: Route) -> Outcome | None:
    if route.intent is Intent.GREETING:
        return Clarified(
            "Hello! Ask me anything about IT. I can also reset your password or bring in a person.",
            options=("I forgot my password", "How do I set up the VPN?", ASK_A_HUMAN),
        )
    if route.intent is Intent.THANKS:
        return Clarified("You're welcome. I'm here when you need me again.")
    if route.intent is Intent.REPORT:
        return Clarified("Tell me what is broken and what happens, in a sentence or two. A picture helps, too.")
    if route.intent is Intent.NOT_SOLVED:
        return Clarified("I'm sorry. Tell me in a sentence what you are trying to do and what happens instead.")
    return None


def from_the_reading(desk: Knows, asked: Asked) -> Decision | None:
    """The question that was asked back about, answered from the article that was picked; None when none was, or when
    it isn't there for this person any more."""
    article = asked.last.article_of(asked.text) if isinstance(asked.last, Clarified) else None
    if article is None:
        return None
    *before, question = asked.earlier or (asked.text,)
    answer = desk.library.answer(
        question, groups=asked.groups, earlier=before, writer=writer_for(desk, asked), chosen=article
    )
    if not answer.confident:
        return None
    because = "the person picked this reading when asked back"
    return Decision(Answered(answer), Why(Branch.KNOWLEDGE_BASE, because, search=answer.trace, picked=True))


def writer_for(desk: Knows, asked: Asked) -> Callable[[Material], Answer] | None:
    return partial(desk.grounded.write, hearing=asked.hearing) if desk.grounded else None


def from_the_knowledge_base(desk: Knows, asked: Asked, route: Route) -> Decision:
    answer = desk.library.answer(
        asked.text,
        groups=asked.groups,
        earlier=asked.earlier,
        writer=writer_for(desk, asked),
        rewriter=desk.grounded.rewriter if desk.grounded else None,
    )
    worth_asking = answer.confidence >= answer.asking_from

    def because(reason: str) -> Why:
        return Why(Branch.KNOWLEDGE_BASE, reason, route, answer.trace, asking_from=answer.asking_from)

    if answer.confident:
        return Decision(Answered(answer), because("it is sure enough of it"))
    # What was said before makes anything look a little like IT's business.
    unlike_it = not route.on_topic or route.score < UNLIKE_ANYTHING
    if unlike_it and not asked.files and (asked.earlier or not worth_asking):
        declined = Declined(
            "I don't know that. It doesn't look like something our IT knowledge base covers; "
            "if it is about your IT after all, a person can help."
        )
        return Decision(declined, because("the message is nearer to chatter and general knowledge than to IT"))
    if worth_asking and answer.citations and not isinstance(asked.last, Clarified):  # asked once, then a person comes
        clarified = Clarified(
            "I'm not sure which of these you mean. Pick one, or tell me in other words what you need.",
            options=(*(citation.title for citation in answer.citations), ASK_A_HUMAN),
            articles=tuple(citation.article_id for citation in answer.citations),
        )
        return Decision(clarified, because("it was too unsure to answer, and sure enough to ask back"))
    if not answer.citations:
        return Decision(escalate(asked, HandoffReason.NO_KNOWLEDGE, answer), because("it found nothing"))
    unsure = "it was too unsure to answer" if worth_asking else "it was too unsure to ask back"
    asked_before = ", and it had asked back before" if worth_asking else ""
    return Decision(escalate(asked, HandoffReason.LOW_CONFIDENCE, answer), because(unsure + asked_before))


def escalate(asked: Asked, reason: HandoffReason, answer: Answer | None = None) -> Escalated:
    if asked.begins and asked.earlier:
        summary = "\n".join([asked.text, "", "Before that:", *asked.earlier])[:SUMMARY_LIMIT]
    else:
        summary = "\n".join([*asked.earlier, asked.text])[-SUMMARY_LIMIT:]
    worth_a_look = answer is not None and answer.confidence >= FAR_OFF
    found = [(citation, answer.confidence) for citation in answer.citations] if answer and worth_a_look else []
    tried = tuple(Tried(citation.title, citation.url, confidence) for citation, confidence in found)
    return Escalated(Handoff(reason, summary, tried))
