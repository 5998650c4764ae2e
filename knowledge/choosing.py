"""Which part of the best article is shown."""

import re
from collections.abc import Sequence

from knowledge.catalogue import Catalogue
from knowledge.composing import SCREEN, Piece, answering
from knowledge.retrieval import Hit, Question
from knowledge.sparse import Words

ABOUT_AS_GOOD = 0.08  # two passages of one article this close in score answer about equally well
NEAR_ENOUGH = 0.15  # as close, steps are what answers a question how something is done
HOW = re.compile(r"\bhow (?:do|can|could|should|would|to|does one|is it possible)\b|\bsteps\b", re.IGNORECASE)
MARK = re.compile(r"\b(?:0x[0-9a-f]{4,16}|[a-z]{1,8}[ -]?\d{2,12})\b", re.IGNORECASE)
ABOUT_THE_TITLE = 0.66  # of the question's weight


def to_show(
    pieces: Sequence[Piece], own: Sequence[Hit], question: Question, text: str, catalogue: Catalogue, words: Words
) -> list[Piece]:
    """Of an article's pieces those that answer. `own` are its hits, best first; `text` is the question's."""
    named = naming(pieces, text)
    if named is not None:
        return answering(pieces, named)
    if asks_for_the_whole(pieces, own[0], question, catalogue, words) and (whole := from_the_start(pieces)):
        return whole
    return answering(pieces, passage_to_show(own, question, text))


def naming(pieces: Sequence[Piece], text: str) -> int | None:
    """The passage about a code, a model or an error number of the question (`J-330`), if not all have it: that under
    a heading that names it, or else that names the fewest."""
    for mark in marks(text):
        has = [piece for piece in pieces if mark in marks(piece.text) | marks(" / ".join(piece.headings))]
        if 0 < len(has) < len(pieces):
            in_heading = [piece for piece in has if mark in marks(" / ".join(piece.headings[-1:]))]
            return min(in_heading or has, key=lambda piece: len(marks(piece.text))).passage
    return None


def marks(text: str) -> set[str]:
    return {mark.replace("-", "").replace(" ", "").lower() for mark in MARK.findall(text)}


def asks_for_the_whole(
    pieces: Sequence[Piece], best: Hit, question: Question, catalogue: Catalogue, words: Words
) -> bool:
    """Whether the question says what the article's title says and nothing that would tell its sections apart: then
    which passage scores best is chance."""
    index = catalogue.sparse[best.access_set]
    asked = {term: weight for term, weight in index.rarity(question.terms).items() if index.knows(term)}
    title = set(words.numbers(best.title))
    told_apart = {number for piece in pieces for heading in piece.headings for number in words.numbers(heading)} - title
    in_title = sum(weight for term, weight in asked.items() if term in title)
    return told_apart.isdisjoint(asked) and in_title >= ABOUT_THE_TITLE * sum(asked.values()) > 0


def from_the_start(pieces: Sequence[Piece]) -> list[Piece]:
    """The whole article if it is no more than a screen, otherwise what begins with its first procedure: all that
    follows if that is no more than a screen, or the procedure alone. Empty when there is none."""
    first = next((index for index, piece in enumerate(pieces) if piece.steps), None)
    for start in (0, first):
        if start is not None and sum(len(piece.text) + 2 for piece in pieces[start:]) <= SCREEN:
            return list(pieces[start:])
    return answering(pieces, pieces[first].passage) if first is not None else []


def main_headings(shown: Sequence[Piece]) -> tuple[str, ...]:
    """Of what is shown, the headings to cite: of the first procedure, or else of where it begins."""
    return next((piece.headings for piece in shown if piece.steps and piece.headings), shown[0].headings)


def passage_to_show(hits: Sequence[Hit], question: Question, text: str = "") -> int:
    """Of the best article: its best passage, or one with steps that is about as good and has the same words of the
    question; to a question how something is done (by its `text`), one with steps that comes near it. Short asides rank
    high, as the title that they carry is most of their words; people who ask want the procedure. `hits` are sorted best
    first and not empty."""
    best = hits[0]
    if not best.steps:
        met = best.terms & question.terms.keys()
        how = HOW.search(text) is not None
        for hit in hits:
            if hit.article != best.article or not hit.steps:
                continue
            behind = best.score - hit.score
            if behind <= (NEAR_ENOUGH if how else ABOUT_AS_GOOD) and (how or met <= hit.terms):
                return hit.passage
    return best.passage
