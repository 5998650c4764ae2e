"""Whether a passage says what a sentence says, as far as words can tell.

Numbers, code, addresses, quoted and emphasised names and proper names must be in the passages to the letter; of the
other words that carry meaning, most; and none may be there only with the opposite sign ("do not restart").
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from knowledge.sparse import Words

SUPPORTED = 0.75  # share of a sentence's words that its passages have
STEP_COVERED = 0.4  # share of a step's words that the answer must have to count as giving it
NEGATION_REACHES = 3  # words

TOKEN = re.compile(r"\w+(?:['’]\w+)*|[,;:.!?()\n—]")
NEGATIONS = frozenset(("not", "never", "no", "none", "without", "cannot", "neither", "nor"))
LINKING = frozenset(
    """
    please then first second next also finally follow following step steps after before need want able now here once
    using use must have make sure such
    """.split()  # noqa: SIM905 (a list of quoted words is harder to read)
)
CODE = re.compile(r"`+([^`]+)`+")
ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]{1,20}://[^\s<>()\[\]`*\"']+|\bwww\.[^\s<>()\[\]`*\"']+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|\b(?:[a-z0-9-]{1,63}\.)+[a-z]{2,}(?:/[^\s<>()\[\]`*\"']*)?",
    re.IGNORECASE,
)
EMPHASISED = re.compile(r"(\*\*|__|\*|(?<!\w)_)(?=\S)(.+?)(?<=\S)\1")
QUOTED = re.compile(r"[\"“”]([^\"“”\n]{1,80})[\"“”]")
WITH_DIGIT = re.compile(r"(?:[\w]+[.,:/-])*\w*\d\w*(?:[.,:/-]\w+)*")
NAME = re.compile(r"(?<=[a-z,;:)] )[A-Z]\w+|\b\w*[a-z][A-Z]\w*|\b[A-Z]{2,}\b")
MENTION = re.compile(r"<[!@#]|@(?:channel|here|everyone)\b|\]\(\s*(?!https?:)", re.IGNORECASE)
MARKUP = re.compile(r"\*\*|__|[*`]")
NUMBERING = re.compile(r"^ *\d{1,3}[.)] +", re.MULTILINE)
STEP = re.compile(r"^ {0,3}\d{1,3}[.)]\s+(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Meaning:
    """The stems of a text by their sign: whether they are said plainly, and whether under a negation."""

    plain: frozenset[int]
    negated: frozenset[int]

    @property
    def stems(self) -> frozenset[int]:
        return self.plain | self.negated

    def contradicts(self, source: "Meaning") -> bool:
        """Whether a word stands here with a sign that it never has in the source, which has the word."""
        return bool((self.plain & source.negated) - source.plain or (self.negated & source.plain) - source.negated)


class Support:
    """Safe to share between threads."""

    def __init__(self) -> None:
        self._words = Words()

    def why_not(self, sentence: str, sources: Sequence[str]) -> str | None:
        """None if the sources support the sentence; otherwise what they lack, for the log (never the sentence)."""
        if not sources:
            return "no passage is cited"
        if MENTION.search(sentence):
            return "it mentions or hides something"
        source = NUMBERING.sub("", "\n".join(sources))
        spoken = spoken_form(source)
        if any(not is_in(literal, spoken) for literal in literals(sentence)):
            return "a number, name, address or code isn't in the passages"
        said, known = self.meaning(sentence), self.meaning(source)
        if not said.stems:
            return "it says nothing"
        if said.contradicts(known):
            return "the passages say the opposite"
        if len(said.stems & known.stems) < SUPPORTED * len(said.stems):
            return "too few of its words are in the passages"
        return None

    def meaning(self, text: str) -> Meaning:
        signs: tuple[set[int], set[int]] = (set(), set())
        negation = 0
        for token in TOKEN.findall(MARKUP.sub("", text).lower()):
            if not token[0].isalnum() and token[0] != "_":
                negation = 0
            elif token in NEGATIONS or token.endswith(("n't", "n’t")):
                negation = NEGATION_REACHES
            else:
                if token not in LINKING:
                    signs[negation > 0].update(self._words.numbers(token))
                negation = max(negation - 1, 0)
        return Meaning(frozenset(signs[0]), frozenset(signs[1]))

    def share(self, part: str, whole: str) -> float:
        """The share of the first text's stems that the second has."""
        stems = self.meaning(part).stems
        return len(stems & self.meaning(NUMBERING.sub("", whole)).stems) / len(stems) if stems else 1.0

    def gives(self, answer: str, step: str) -> bool:
        """Whether an answer tells a step: each name and code of it, and enough of its words."""
        spoken = spoken_form(answer)
        marked = [found[2] for found in EMPHASISED.finditer(step)] + CODE.findall(step)
        return all(is_in(literal, spoken) for literal in marked) and self.share(step, answer) >= STEP_COVERED


def literals(sentence: str) -> Iterable[str]:
    """What has to be in the sources to the letter."""
    yield from CODE.findall(sentence)
    yield from (found[2] for found in EMPHASISED.finditer(sentence))
    yield from QUOTED.findall(sentence)
    yield from (address.rstrip(".,;:!?") for address in ADDRESS.findall(sentence))
    yield from (found.rstrip(".,:/-") for found in WITH_DIGIT.findall(sentence))
    yield from NAME.findall(sentence)


def is_in(literal: str, spoken: str) -> bool:
    """Whether it stands in a text as a whole: `5` isn't in `15` nor in `5.2`, nor `a.example` in `b-a.example`."""
    wanted = spoken_form(literal)
    if not wanted:
        return True
    exact = "." in wanted or any(character.isdigit() for character in wanted)
    before = (r"(?<!\w)(?<!\w[.@-])" if exact else r"(?<!\w)") if wanted[0].isalnum() else ""
    after = (r"(?!\w)(?![.,:/@-]\w)" if exact else r"(?!\w)") if wanted[-1].isalnum() else ""
    return re.search(before + re.escape(wanted) + after, spoken) is not None


def spoken_form(text: str) -> str:
    """Without Markdown's emphasis, in one case, with single spaces."""
    return " ".join(MARKUP.sub("", text).casefold().split())


def addresses(text: str) -> list[str]:
    return ADDRESS.findall(text)


def steps_of(texts: Iterable[str]) -> list[str]:
    """The first lines of the numbered steps, in order; empty if there are fewer than two."""
    steps = [step for text in texts for step in STEP.findall(text)]
    return steps if len(steps) > 1 else []
