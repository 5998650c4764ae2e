"""A message that asks several things, in its questions.

Most messages of several sentences tell of one trouble, and a search by half of it finds less than one by the whole. So
a message is only split where a sentence asks for something by itself: it begins as a question or a request does, has
words of its own, and doesn't point back (*does it ...*, *and on the phone?*). Whatever else is said belongs to the
question that follows it, or else to the one before.
"""

import re
from collections.abc import Iterator

from knowledge.noise import without_noise

LONGEST = 800  # characters; a longer message is a description, whatever it asks on the way
MOST_SENTENCES = 12
OVERLAP = 0.5  # share of the words of the one that has fewer: two questions with so many in common are one

QUESTION = (
    r"(?:how|where|who|whom|whose|which|why|what(?! else\b| now\b))(?:'s|s)?\b"
    r"|when (?:do|does|did|is|are|can|will|should)\b"
    r"|(?:can|could|may|might|should|shall|must) (?:i|we)\b|(?:am|are) (?:i|we) (?:allowed|able|supposed)\b"
    r"|(?:is|are) there |is it (?:possible|ok|okay|allowed|fine)\b|do (?:i|we) (?:need|have|get|still|really|also)\b"
    r"|(?:could|can|would|will) you\b|(?:please |pls |kindly )?(?:tell|show|explain to|send|give) (?:me|us)\b"
)
OPENS = re.compile(rf"\A(?:{QUESTION})", re.IGNORECASE)
WISH = re.compile(r"\A(?:i|we)(?:'d| would| do| just| also|) ?(?:also )?(?:need|want|like)\b(?! to\b)", re.IGNORECASE)
NAMES_IT = re.compile(r"\A(?:how|where|when|who|(?:what|why)(?:'s|s| is| are| does| do)?\b (?!do\b))", re.IGNORECASE)
LINK = (
    r"(?:and|also|plus|then|so|oh|ah|ok|okay|well|but|btw|by the way|additionally|besides|furthermore|next|finally"
    r"|lastly|secondly|thirdly|firstly|first|second|third)"
)
TURN = (
    r"(?:another (?:thing|question)|(?:one|two) (?:more|other) (?:things?|questions?)"
    r"|(?:my )?(?:second|third|other|next|last) question|(?:(?:totally|completely|something) )?unrelated|separately"
    r"|(?:on a )?different (?:topic|matter))(?: is| would be)?"
)
LINKS = re.compile(rf"\A(?:\W*(?:{LINK}|{TURN})\b)+\W*", re.IGNORECASE)
TURNS = re.compile(rf"\A(?:\W*{LINK}\b)*\W*{TURN}\b", re.IGNORECASE)
ALSO = re.compile(r"\b(?:also|another|as well|additionally|plus)\b", re.IGNORECASE)
NUMBER = re.compile(r"\A\s*(?:\(?\d{1,2}[.):]|[a-e]\)|[-*\u2022])\s+", re.IGNORECASE)
SENTENCE = re.compile(r"(?<=[?!])\s+|(?<=[^\W\d][.])\s+(?=[A-Z\u00c0-\u00de\"(]|(?:and|also|how|where|what|can)\b)|\n+")
CLAUSE = re.compile(
    r"(?:[,;]|,? (?:and|also|plus|&)(?: also| then|))\s+"
    r"(?=(?:how (?:do|does|can|could|to|would|should|long|much|many|often)|where (?:do|does|can|could|is|are|to)"
    r"|what (?:is|are|do|does)|who (?:is|do|can|should)|when (?:do|does|is|can)"
    r"|can (?:i|we)|could (?:i|we)|may (?:i|we)|is there|are there)\b)",
    re.IGNORECASE,
)
POINTS_BACK = re.compile(
    r"\b(?:its?|that|this|these|those|them|they|their|he|she|him|her|same|such|which ones?|else|instead|afterwards"
    r"|there)\b",
    re.IGNORECASE,
)
NOT_POINTING = re.compile(
    r"\bis it (?:possible|ok|okay|allowed|fine)\b|\b(?:is|are) there\b|\bthis (?:week|month|year|morning)\b"
    r"|\bthat (?=(?:i|we|my|our|the)\b)|\bat the same time\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W_]+(?:['\u2019.-][^\W_]+)*")
SAYS_LITTLE = """
a about after again all also am an and any anybody anyone anything are as at be because been before best but
by can can't cannot could day did do does doing don't dont else ever exactly fix fixed for from get give go
going got had has have help here hi how i i'd i'm idea ideas if in into is it just kindly know like long make
many may me might more most much must my need no not now of ok on one or our out over please pls possible
problem question quick recommended right should show so solve some somebody someone somehow something tell
than thank thanks the their then there thing things this to too try up us use wait want was way we well were
what what's whats when where which who why will with would wrong yes you your work working works happen
happens happened issue issues mean means next step steps suggestion suggestions care
"""
EMPTY = frozenset(SAYS_LITTLE.split())


def questions_of(message: str) -> list[str]:
    """The questions of a message, in order and in its own words, without greeting and thanks; the whole message, as
    it is, when it asks one thing or none."""
    text = without_noise(message)
    if len(text) > LONGEST:
        return [message]
    said = [sentence for sentence in sentences(text) if WORD.search(sentence)]
    if not 1 < len(said) <= MOST_SENTENCES:
        return [message]
    groups = joined([in_own_words(group) for group in grouped(said)])
    return groups if len(groups) > 1 else [message]


def grouped(said: list[str]) -> list[list[str]]:
    """Sentences by what they belong to; each group but the last asks something."""
    groups: list[list[str]] = [[]]
    asked = wished = False
    for sentence in said:
        bare = without_link(sentence)
        stands = asks_by_itself(sentence)
        wishes = WISH.match(bare) is not None
        another = (asked and stands) or ((asked or wished) and (stands or wishes) and ALSO.search(sentence) is not None)
        if (another or TURNS.match(sentence)) and own_words(" ".join(groups[-1])):
            groups.append([])
            asked = wished = False
        groups[-1].append(sentence)
        asked = asked or sentence.endswith("?") or OPENS.match(bare) is not None
        wished = wished or wishes
    return groups


def joined(questions: list[str]) -> list[str]:
    """Those that say the same in other words are one."""
    result: list[str] = []
    for question in questions:
        if result:
            one, other = own_words(result[-1]), own_words(question)
            if len(one & other) >= OVERLAP * min(len(one), len(other)):
                result[-1] = f"{result[-1]} {question}"
                continue
        result.append(question)
    return result


def sentences(text: str) -> Iterator[str]:
    """Also the parts of one that joins questions by *and* or a comma, if each would be one by itself."""
    for sentence in SENTENCE.split(text):
        parts = CLAUSE.split(NUMBER.sub("", sentence.strip()))
        if len(parts) > 1 and all(asks_by_itself(part) for part in parts):
            yield from parts
        else:
            yield sentence.strip()


def asks_by_itself(sentence: str) -> bool:
    """Whether a question can be understood, and answered, without what stands around it."""
    bare = without_link(sentence)
    if not OPENS.match(bare) or POINTS_BACK.search(NOT_POINTING.sub(" ", bare)):
        return False
    return len(own_words(bare)) >= (1 if NAMES_IT.match(bare) else 2)


def own_words(text: str) -> set[str]:
    """What tells it from any other question."""
    return {word for word in WORD.findall(text.casefold().replace("\u2019", "'")) if word not in EMPTY}


def without_link(sentence: str) -> str:
    return LINKS.sub("", NUMBER.sub("", sentence)).strip()


def in_own_words(group: list[str]) -> str:
    first = without_link(group[0]) or group[0]
    return " ".join([first[:1].upper() + first[1:], *group[1:]])
