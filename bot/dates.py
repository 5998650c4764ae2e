"""The days that a message names: "until Friday", "for two weeks", "31.12.", "next Monday".

Only what means one day, and one that isn't past. `3/4` is one day in Dublin and another in Dallas, "next Friday" said
on a Tuesday may be either of two, "next month" is thirty: of these it is known that a day is meant, and not which.

dateparser (search, and parse of what follows "until") and parsedatetime were tried on the table in
tests/bot/test_values.py: of its 67 lines they had 31, 39 and 25 right, and named a day in 12 to 22 that mean none.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Role(StrEnum):
    """What a day is to what is asked for."""

    LAST = "last"
    """Until then, or as long as said."""
    FIRST = "first"
    """From then on, on that day, by that day."""
    BARE = "bare"
    """Named without a word that tells."""


@dataclass(frozen=True)
class Said:
    role: Role
    day: date | None
    """None when a day is meant, but not which can be told."""


MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
COUNTED = {word: number for number, word in enumerate(NUMBERS, 1)} | {"a": 1, "an": 1, "another": 1, "a couple of": 2}
FARTHEST = 3_660
"""Days; what is farther off is a slip of the pen."""
WEEK = 7

MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\b"
YEAR = r"(?P<year>20\d\d)\b"
WEEKDAY = (
    r"(?P<weekday>mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?"
    r"|fri(?:day)?|sat(?:urday)?|sun(?:day)?)\b"
)
COUNT = rf"(?P<count>\d{{1,3}}|a couple of|an?|another|{'|'.join(NUMBERS)})(?: more)?"
UNIT = r"(?P<unit>day|week|month|year)s?\b"

LAST = re.compile(
    r"\b(?:until|untill|unti|til+|through|thru|up to|(?:ends?|ending|expir\w+)(?: on)?|to)"
    r"\s+(?:and including |the |on )?$",
    re.IGNORECASE,
)
FIRST = re.compile(
    r"\b(?:on|from|by|starting(?: on| from)?|(?:starts?|beginning)(?: on)?|as of|before)\s+(?:the )?$", re.IGNORECASE
)
PAST = re.compile(r"\b(?:since|last|past|until last|was|ago|dated|previous|every|each)\s+(?:the |on )?$", re.IGNORECASE)
LENGTH = re.compile(r"\b(?:for|another|next)\s+(?:the |the next |just |only |about )?$", re.IGNORECASE)


def days_said(text: str, today: date) -> list[Said]:
    """In the order of the text. Days that are said to be past are left out."""
    said: list[Said] = []
    taken = 0
    found = sorted(
        ((match, meant) for pattern, meant in FORMS for match in pattern.finditer(text)),
        key=lambda each: (each[0].start(), -each[0].end()),
    )
    for match, meant in found:
        before = text[: match.start()]
        if match.start() < taken or PAST.search(before) or text[match.end() :].lstrip().casefold().startswith("ago"):
            continue
        for role, day in meant(match, today, before):
            taken = match.end()
            ahead = day is not None and today <= day and (day - today).days <= FARTHEST
            said.append(Said(role or role_of(before, text, match), day if ahead else None))
    return said


def role_of(before: str, text: str, match: re.Match[str]) -> Role:
    if LAST.search(before):
        return Role.LAST
    alone = len(text.split()) <= len(match[0].split()) + 1
    tells = match.re in RELATIVE and not alone  # "give me access tomorrow" is when it begins
    return Role.FIRST if FIRST.search(before) or tells else Role.BARE


Meant = Iterator[tuple[Role | None, date | None]]


def iso(match: re.Match[str], today: date, before: str) -> Meant:
    yield None, built(int(match["year"]), int(match["month"]), int(match["day"]))


def in_words(match: re.Match[str], today: date, before: str) -> Meant:
    """ "3 March", "March 3rd, 2027". "You may 3" is no date: the small month needs a word before it that tells."""
    if match["month"] == "may" and match.re is MONTH_FIRST and not (LAST.search(before) or FIRST.search(before)):
        return
    month = next(place for place, name in enumerate(MONTHS, 1) if name.startswith(match["month"].casefold()[:3]))
    yield None, coming(int(match["day"]), month, match["year"], today)


def dotted(match: re.Match[str], today: date, before: str) -> Meant:
    """Where days are written with dots, the day comes first. "10.12" may be a version, unless a word tells."""
    if not match["dot"] and not (LAST.search(before) or FIRST.search(before)):
        return
    yield None, coming(int(match["day"]), int(match["month"]), match["year"], today)


def slashed(match: re.Match[str], today: date, before: str) -> Meant:
    first, second = int(match["first"]), int(match["second"])
    if min(first, second) > 12 or max(first, second) > 31:
        return
    if first <= 12 and second <= 12 and first != second:
        yield None, None
    else:
        yield None, coming(max(first, second), min(first, second), match["year"], today)


def ordinal(match: re.Match[str], today: date, before: str) -> Meant:
    """ "until the 15th": of this month, or the next that has one."""
    day = int(match["day"])
    for ahead in range(3):
        year, month = after_months(today, ahead)
        if (found := built(year, month, day)) and found >= today:
            yield None, found
            return


def weekday(match: re.Match[str], today: date, before: str) -> Meant:
    """The coming one. Said on that very day, it is today or in a week; and "next" one may be the one after that while
    this week's still lies ahead."""
    wanted = next(place for place, name in enumerate(WEEKDAYS) if name.startswith(match["weekday"].casefold()[:3]))
    ahead = (wanted - today.weekday()) % WEEK
    which = (match["which"] or "").casefold()
    if which == "next":
        this_week = wanted > today.weekday()
        yield None, None if this_week else today + timedelta(ahead or WEEK)
    elif which == "this":
        yield None, today + timedelta(ahead) if wanted >= today.weekday() else None
    else:
        yield None, today + timedelta(ahead) if ahead else None


def near(match: re.Match[str], today: date, before: str) -> Meant:
    said = match[0].casefold()
    yield None, today + timedelta(2 if "after" in said else 1 if "tom" in said else 0)


def end_of(match: re.Match[str], today: date, before: str) -> Meant:
    which, what = (match["which"] or "").casefold(), match["what"].casefold()
    further = 1 if which == "next" else 0
    if what in ("day", "business day"):
        yield None, None if further else today
    elif what == "week":  # Friday or Sunday?
        yield None, None
    elif what == "month":
        yield None, last_of(*after_months(today, further))
    elif what == "quarter":
        yield None, last_of(*after_months(today, (3 - today.month % 3) % 3 + 3 * further))
    elif what == "year":
        yield None, date(today.year + further, 12, 31)
    else:
        month = next(place for place, name in enumerate(MONTHS, 1) if name.startswith(what[:3]))
        year = int(match["year"] or today.year + (month < today.month))
        yield None, last_of(year, month)


def after_a_while(match: re.Match[str], today: date, before: str) -> Meant:
    """ "for two weeks" ends then, "in two weeks" begins then; "two weeks" alone may be an age."""
    count = match["count"].casefold()
    number = int(count) if count.isdigit() else COUNTED[count]
    if match["in"]:
        yield None, later(today, number, match["unit"])
    elif LENGTH.search(before) or len(match.string.split()) <= len(match[0].split()) + 1:
        yield Role.LAST, later(today, number, match["unit"])


def vague(match: re.Match[str], today: date, before: str) -> Meant:
    """A day is meant, and nobody could say which."""
    yield None, None


def built(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def coming(day: int, month: int, year: str | None, today: date) -> date | None:
    """With a year, that day; without, the next one of this name."""
    if year:
        return built(int(year) + (2000 if len(year) == 2 else 0), month, day)
    years = (today.year + ahead for ahead in range(9))  # 29 February may be eight years off
    return next((found for each in years if (found := built(each, month, day)) and found >= today), None)


def after_months(today: date, ahead: int) -> tuple[int, int]:
    months = today.year * 12 + today.month - 1 + ahead
    return months // 12, months % 12 + 1


def last_of(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def later(today: date, number: int, unit: str) -> date | None:
    unit = unit.casefold()
    if unit in ("day", "week"):
        return today + timedelta(number * (WEEK if unit == "week" else 1))
    year, month = after_months(today, number * (12 if unit == "year" else 1))
    return date(year, month, min(today.day, monthrange(year, month)[1]))


def form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


MONTH_FIRST = form(rf"\b{MONTH} (?:the )?{DAY}(?:,? {YEAR})?")
WEEKDAYS_SAID = form(rf"\b(?:(?P<which>next|this|coming|the coming) )?{WEEKDAY}(?! (?:evenings|mornings)|s\b|'s\b)")
NEAR = form(r"\b(?:the )?day after tomorrow\b|\b(?:tomorrow|tomorow|tommorrow|tmrw|today|tonight)\b")
A_WHILE = form(rf"\b(?P<in>in |within )?{COUNT} {UNIT}(?! (?:old|ago))")
RELATIVE = (WEEKDAYS_SAID, NEAR, A_WHILE)

FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date, str], Meant]], ...] = (
    (form(r"(?<![\w-])(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)(?![\w-])"), iso),
    (form(rf"\b{DAY} (?:of )?{MONTH}(?:,? {YEAR})?"), in_words),
    (MONTH_FIRST, in_words),
    (
        form(
            r"(?<![\w.])(?P<day>\d{1,2})\. ?(?P<month>\d{1,2})(?P<dot>\.?)"
            r"(?: ?(?<=\.| )(?P<year>20\d\d|\d\d(?!\d)))?(?!\.?\w)"
        ),
        dotted,
    ),
    (form(r"(?<![\w/])(?P<first>\d{1,2})/(?P<second>\d{1,2})(?:/(?P<year>20\d\d|\d\d))?(?![\w/])"), slashed),
    (
        form(r"(?<=\bthe )(?P<day>[12]?\d|3[01])(?:st|nd|rd|th)\b(?! (?:of|floor|time|try|line|edition|attempt))"),
        ordinal,
    ),
    (WEEKDAYS_SAID, weekday),
    (NEAR, near),
    (
        form(
            rf"\b(?:the )?(?:end|last day) of (?:(?P<which>this|next|the) )?"
            rf"(?P<what>business day|day|week|month|quarter|year|{MONTH.replace('P<month>', ':')})(?: {YEAR})?"
        ),
        end_of,
    ),
    (A_WHILE, after_a_while),
    (form(r"\bnext (?:week|month|year|quarter)\b"), vague),
    (form(rf"(?:(?<=until )|(?<=till )){MONTH}(?! ?(?:the )?\d)"), vague),
)
