"""What a request already says: which of the choices, until when, and why. "Add me to design-tools until Friday."

Pure: a message, what is asked for, today. A value is only taken when the message leaves no doubt; what is left out is
asked of the person, which costs one click, and a wrong value would cost more.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from enum import StrEnum

from bot.dates import Role, Said, days_said

Value = str | date


class Kind(StrEnum):
    CHOICE = "choice"
    """One of the names that are offered."""
    UNTIL = "until"
    """The last day of something."""
    DAY = "day"
    """The day of something, or its first one."""
    REASON = "reason"


@dataclass(frozen=True)
class Wanted:
    """A value that a request needs."""

    name: str
    kind: Kind
    offered: tuple[str, ...] = ()
    """The names of a choice, as they are shown."""


SHORTEST_SLIP = 5
"""Characters; in a shorter name one other letter often makes another name."""
FEWEST_REASONED = 2
"""Words of a reason; "because" and a single word explain nothing."""

WORD = re.compile(r"[^\W_]+")
SENTENCE_END = re.compile(r"[.!?;](?=\s|$)|\n")
BECAUSE = re.compile(
    r"\b(?:because(?: of)?|bc|reason(?: is)?:?)\s+|\b(?:since|as)\s+(?=(?:i|we|my|our)\b)", re.IGNORECASE
)
PURPOSE = re.compile(
    r"\bfor (?:(?:the|our|my|a|an|this|their) )?(?:[\w&'-]+ ){0,4}?"
    r"(?:project|campaign|audit|migration|launch|review|tender|pitch|client|customer|fair|rollout|presentation|training"
    r"|workshop|onboarding|handover|release|course|meeting|event|report)\b"
    r"(?: (?:of|in|at|with) [\w&'-]+)?",
    re.IGNORECASE,
)


def values_given(text: str, wanted: Iterable[Wanted], *, today: date) -> dict[str, Value]:
    """The values that the message says beyond doubt, by the name of what is wanted."""
    days = days_said(text, today)
    finders: dict[Kind, Callable[[Wanted], Value | None]] = {
        Kind.CHOICE: lambda each: choice(text, each.offered),
        Kind.UNTIL: lambda _: last_day(days),
        Kind.DAY: lambda _: first_day(days),
        Kind.REASON: lambda _: reason(text),
    }
    found = {each.name: finders[each.kind](each) for each in wanted}
    return {name: value for name, value in found.items() if value is not None}


def choice(text: str, offered: Sequence[str]) -> str | None:
    """The one offered name that the text has: its words in this order, hyphens and capitals aside, or, when none is
    there, with one slip of the pen. A name that is part of a longer one that is there too doesn't count; None when two
    remain."""
    words = [word.casefold() for word in WORD.findall(text)]
    names = {name: [word.casefold() for word in WORD.findall(name)] for name in offered}
    for same in (alike, slipped):
        found = {name: spans for name, parts in names.items() if parts and (spans := places(words, parts, same))}
        standing = [
            name
            for name, spans in found.items()
            if not all(
                any(covers(longer, span) for other, others in found.items() if other != name for longer in others)
                for span in spans
            )
        ]
        if standing:
            return standing[0] if len(standing) == 1 else None
    return None


Span = tuple[int, int]


def places(words: Sequence[str], parts: Sequence[str], same: Callable[[str, str], bool]) -> list[Span]:
    """Where in the words the name stands; it may be written in fewer or more words: `designtools`, `design tools`."""
    joined = "".join(parts)
    return [
        (start, stop)
        for size in range(1, len(parts) + 2)
        for start in range(len(words) - size + 1)
        if same("".join(words[start : (stop := start + size)]), joined)
    ]


def covers(longer: Span, span: Span) -> bool:
    return longer != span and longer[0] <= span[0] and span[1] <= longer[1]


def alike(written: str, name: str) -> bool:
    return written == name


def slipped(written: str, name: str) -> bool:
    """Whether one letter is too many, missing, another, or changed places with its neighbour. Figures don't slip:
    `team1` isn't `team2`."""
    if len(name) < SHORTEST_SLIP or abs(len(written) - len(name)) > 1:
        return False
    changes = [
        code for code in SequenceMatcher(None, written, name, autojunk=False).get_opcodes() if code[0] != "equal"
    ]
    if not changes:
        return True
    before, after = changes[0][1], changes[-1][2]
    there, here = written[before:after], name[changes[0][3] : changes[-1][4]]
    if any(letter.isdigit() for letter in there + here):
        return False
    return (len(there) <= 1 and len(here) <= 1) or (len(there) == 2 and there == here[::-1])


def last_day(days: Sequence[Said]) -> date | None:
    return only([day for day in days if day.role is Role.LAST] or [day for day in days if day.role is Role.BARE])


def first_day(days: Sequence[Said]) -> date | None:
    return only([day for day in days if day.role in (Role.FIRST, Role.BARE)])


def only(days: Sequence[Said]) -> date | None:
    """The one day of these; None when there are several, or when one of them can't be told."""
    found = {day.day for day in days}
    return found.pop() if len(found) == 1 else None


def reason(text: str) -> str | None:
    """The words after "because", to the end of the sentence; otherwise "for the spring campaign"."""
    if after := BECAUSE.search(text):
        rest = text[after.end() :]
        end = SENTENCE_END.search(rest)
        said = rest[: end.start() if end else None].strip(" ,;:")
        return said if len(said.split()) >= FEWEST_REASONED else None
    purpose = PURPOSE.search(text)
    return purpose[0].strip() if purpose else None
