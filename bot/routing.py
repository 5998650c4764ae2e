"""What a message is, before the knowledge base is asked: a wish for a human, small talk, a routine request, off topic.

Each intent declares example utterances. Small talk takes the intent of its nearest example by cosine similarity if that
is near enough. A routine request begins something, so it is told with more care: by what the examples of all intents
have in common and what parts them (`bot.classifying`), with a probability that must reach a bar. What only looks alike
(a question *about* passwords) is declared, too.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bot.classifying import Classifier
from bot.examples import (
    ABOUT_ROUTINE,
    CANCEL,
    GREETING,
    HUMAN,
    IT_MATTERS,
    MY_TICKETS,
    NOT_IT,
    NOT_SOLVED,
    REPORT,
    THANKS,
)
from knowledge.usual_words import in_usual_words

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


class Intent(StrEnum):
    HUMAN = "human"
    GREETING = "greeting"
    THANKS = "thanks"
    NOT_SOLVED = "not_solved"
    REPORT = "report"
    """Something is wrong, but not what."""
    MY_TICKETS = "my_tickets"
    CANCEL = "cancel"
    """What was asked for isn't wanted any more."""
    ROUTINE = "routine"
    OTHER = "other"


class Routine(Protocol):
    """What routing needs of a workflow."""

    @property
    def name(self) -> str: ...
    @property
    def examples(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Example:
    """An example utterance and how similar the message is to it."""

    text: str
    intent: Intent
    score: float


@dataclass(frozen=True)
class Route:
    intent: Intent
    score: float
    """Cosine similarity to the nearest example."""
    workflow: str | None = None
    on_topic: bool = True
    """False when the message is nearer to chatter and general knowledge than to anything an IT desk is for."""
    sure: float | None = None
    """Probability that it is the routine request that it is likeliest to be; None when it is likelier small talk."""
    nearest: tuple[Example, ...] = field(default=(), compare=False)
    """The examples that the message is most like; empty when its words alone told the intent."""


NEAR = {
    Intent.HUMAN: 0.72,
    Intent.GREETING: 0.80,
    Intent.THANKS: 0.75,
    Intent.NOT_SOLVED: 0.70,
    Intent.REPORT: 0.85,
    Intent.MY_TICKETS: 0.75,
    Intent.CANCEL: 0.75,
}
"""How similar a message must be to an example."""

NEVER = 1.01  # similarity that nothing has
SURE = 0.5
"""Probability from which on a message is a routine request. It asks before it acts."""
SURE_QUESTION = 0.8
"""The same for one that is worded as a question how or why: most ask for an explanation."""
QUESTION = re.compile(r"^\W*(?:how|why|what|who|where|when|which)\b", re.IGNORECASE)
TOLD = 3
"""Nearest examples that a route names."""

SHORT = 12
"""Words; a longer message is about something, however politely it begins."""

WORD = re.compile(r"[^\W\d_]+")
SEPARATORS = re.compile(r"[-_ ]+")
"""Between the parts of a name, which people write as they please: `design-tools`, "design tools"."""
SHORTEST_MENDED = 6
"""Characters; a short word is often another word that is spelt right."""
SLIP = 0.88
"""Ratcliff and Obershelp's similarity from which on a word is taken for a misspelt one."""
MENDED_KEPT = 4_096  # words; telling whether one is misspelt takes a few milliseconds
MOST_SPELT = 500
"""Characters; what is longer is about something, whatever its spelling."""

WANTS_HUMAN = re.compile(
    r"\b(?:talk|speak|chat|write)\s+(?:to|with)\s+(?:a|an|some|the|real|actual)?\s*"
    r"(?:human|person|real person|agent|someone|somebody|technician|colleague|people)\b"
    r"|\b(?:connect|transfer|pass|hand)\s+me\s+(?:on\s+|over\s+)?(?:to|with)\b.*\b(?:human|person|agent|someone|technician|support)\b"
    r"|\b(?:human|real person|live agent)\s*(?:please|pls|now)\b"
    r"|^(?:human|agent|a human|real person)[.!]*$",
    re.IGNORECASE,
)


class Router:
    """Routes messages by their nearest example; safe to use from many threads once built."""

    def __init__(self, encode: Encode, workflows: Sequence[Routine], names: Mapping[str, str] | None = None) -> None:
        """`names` of what is on offer, each with the word that stands for all of its kind, as the examples of workflows
        have it: which one it is tells nothing of what is to be done with it."""
        self._encode = encode
        self._stands_for = {SEPARATORS.sub("", name.casefold()): word for name, word in (names or {}).items()}
        longest_first = sorted((name.casefold() for name in names or ()), key=len, reverse=True)
        loose = ("[-_ ]*".join(map(re.escape, SEPARATORS.split(name))) for name in longest_first)
        self._names = re.compile(rf"(?<!\w)(?:{'|'.join(loose)})(?!\w)") if names else None
        labelled: list[tuple[str, Intent, str | None]] = []
        for intent, examples in (
            (Intent.HUMAN, HUMAN),
            (Intent.GREETING, GREETING),
            (Intent.THANKS, THANKS),
            (Intent.NOT_SOLVED, NOT_SOLVED),
            (Intent.REPORT, REPORT),
            (Intent.MY_TICKETS, MY_TICKETS),
            (Intent.CANCEL, CANCEL),
            (Intent.OTHER, ABOUT_ROUTINE + IT_MATTERS),
        ):
            labelled += [(text, intent, None) for text in examples]
        for workflow in workflows:
            labelled += [(text, Intent.ROUTINE, workflow.name) for text in workflow.examples]
        self._labelled = labelled
        self._words = {word for text, _, _ in labelled for word in WORD.findall(text.casefold())}
        self._mended = lru_cache(MENDED_KEPT)(self._as_in_examples)
        self._examples = encode([text for text, _, _ in labelled])
        self._not_it = encode(NOT_IT)
        kinds = [None if intent is Intent.OTHER else workflow or intent.value for _, intent, workflow in labelled]
        self._workflows = {workflow.name for workflow in workflows}
        self._kinds = Classifier([*kinds, *[None] * len(NOT_IT)], np.vstack([self._examples, self._not_it]))

    def _spelt(self, text: str) -> str:
        """The text with abbreviations written out ("pw"), and long words that differ by a slip from one of the
        examples' spelt as there ("pasword")."""
        usual = in_usual_words(text[:MOST_SPELT], lambda word: word.casefold() in self._words)
        return WORD.sub(lambda match: self._mended(match[0]), usual)

    def _as_in_examples(self, word: str) -> str:
        if len(word) < SHORTEST_MENDED or word.casefold() in self._words:
            return word
        return next(iter(get_close_matches(word.casefold(), self._words, 1, SLIP)), word)

    def _unnamed(self, text: str) -> str:
        if self._names is None:
            return text
        return self._names.sub(lambda name: self._stands_for[SEPARATORS.sub("", name[0])], text.casefold())

    def route(self, text: str) -> Route:
        """The message's intent. `text` is plain, not Slack's escaped form."""
        vector = self._encode([self._spelt(self._unnamed(text))])[0]
        similar = self._examples @ vector
        on_topic = float(np.sort(similar)[-3:].mean()) >= float(np.sort(self._not_it @ vector)[-3:].mean())
        order = [int(place) for place in np.argsort(-similar, kind="stable")[:TOLD]]
        nearest = tuple(Example(*self._labelled[place][:2], round(float(similar[place]), 4)) for place in order)
        intent, score = self._labelled[order[0]][1], float(similar[order[0]])
        if WANTS_HUMAN.search(text):
            return Route(Intent.HUMAN, 1.0)
        kind = self._kinds.guess(vector[None, :])[0]
        sure = round(kind.probability, 4) if kind.label in self._workflows else None
        if sure is not None and sure >= (SURE_QUESTION if QUESTION.match(text) else SURE):
            return Route(Intent.ROUTINE, score, kind.label, sure=sure, nearest=nearest)
        brief = len(text.split()) <= SHORT
        if not brief or score < NEAR.get(intent, NEVER):
            return Route(Intent.OTHER, score, on_topic=on_topic, sure=sure, nearest=nearest)
        return Route(intent, score, sure=sure, nearest=nearest)
