"""What a search found, as numbers that tell how likely the best article answers the question.

Near twins (a procedure for Windows, the same for macOS) are normal in a help desk's articles, so the best article is
compared with what lies behind the first few, and also with the next. `knowledge.calibration` makes a probability of it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from knowledge.catalogue import Catalogue
from knowledge.retrieval import Hit, Question, best_per_article
from knowledge.sparse import Words
from knowledge.vectors import Vectors

FEATURES_VERSION = 4  # raise it when the same find would give other numbers
FEATURES = (
    *("cosine", "above", "spread", "coverage", "agreed", "length", "met", "missed", "size"),
    *(
        "score",
        "words",
        "in_passage",
        "in_title",
        "in_headings",
        "title_asked",
        "lacking",
        "lacking_in_title",
        "lacked",
    ),
    *("next_cosine", "next_words", "next_1", "next_2", "next_4", "next_title", "next_coverage"),
    *("nearest", "passages", "pairs", "pairs_in_title"),
    *("title_cosine", "next_title_cosine", "twin"),
)
SMALL = 300  # passages
UNSURE = 0.1  # of an answer that must not be given as sure, whatever was found

TWINS = 4  # articles that may be as good as the first
COMPARED = 12  # articles
TYPICAL = 0.25  # the score of an article that has little to do with the question: stands in where a base has few


def compared(hits: Sequence[Hit]) -> list[Hit]:
    """Of passages, best first, the best one of each of the articles that are looked at."""
    return best_per_article(hits)[:COMPARED]


def features(
    hits: Sequence[Hit],
    question: Question,
    catalogue: Catalogue,
    words: Words,
    access_sets: Sequence[str],
    titles: Mapping[str, Vectors],
) -> dict[str, float]:
    """Of passages, best first; `hits` must not be empty. By the names of `FEATURES`, in that order. `titles`: the
    vector of the title of each of the articles `compared`.

    cosine, score, words: of the best passage, together and by words alone (the article's best). above, spread: by how
    much the best article's score exceeds what lies behind the first few, as it is and in standard deviations.
    coverage, in_passage, in_title, in_headings: the share of the question's weight whose words are in the article's
    passages that were found, in the best of them, in its title, in title and headings. title_asked: the share of the
    title's words that are asked. agreed, nearest: the search by words alone, by meaning alone has the same best
    article. length: of the question. met, missed: the rarest of its words that the article has, and that only others
    have; 1 is a word that no article has. lacking, lacking_in_title: the rarest word that isn't there; lacked: the
    share of words that aren't. next_*: by how much the best article leads the next (or the third, the fifth).
    pairs, pairs_in_title: the share of neighbouring words of the question that are neighbours there. title_cosine,
    next_title_cosine: how near its title is to the question, and by how much nearer than the nearest other title;
    twin: how near the title most like it is to it. size: the
    logarithm of how many times larger than a small base is what was searched.
    """
    ranked = compared(hits)
    best, *others_best = ranked
    scores = np.array([hit.score for hit in ranked])
    padding = np.full(COMPARED - len(scores), min(TYPICAL, float(scores[-1])))
    scores = np.concatenate([scores, padding])
    above = float(scores[0] - scores[TWINS:].mean())
    index = catalogue.sparse[best.access_set]
    own = [hit for hit in hits if hit.article == best.article]
    others = [hit for hit in hits if hit.article != best.article]
    has = set[int]().union(*(hit.terms for hit in own))
    title = words.numbers(best.title)
    rarity = index.rarity(question.terms)
    known = {term for term in rarity if index.knows(term)}
    usual = sum(rarity[term] for term in known) / len(known) if known else 1.0
    # Whoever asks adds words that no article has ("since yesterday"): they weigh as an average one.
    weights = {term: count * (rarity[term] if term in known else usual) for term, count in question.terms.items()}
    total = sum(weights.values()) or 1.0

    def share(there: Iterable[int]) -> float:
        return sum(weights[term] for term in weights.keys() & set(there)) / total

    def rarest(terms: Iterable[int]) -> float:
        return max((rarity[term] for term in terms), default=0.0) / index.unknown_idf

    asked = list(pairwise(question.terms))

    def paired(texts: Iterable[Sequence[int]], instead: float) -> float:
        pairs = {pair for text in texts for pair in pairwise(text)}
        return sum(pair in pairs for pair in asked) / len(asked) if asked else instead

    covered, in_title = share(has), share(title)
    near_title = float(titles[best.title] @ question.vector)
    by_words = max(hit.sparse for hit in own)
    found: dict[int, set[int]] = {hit.article: set() for hit in others_best}
    for hit in others:
        if hit.article in found:
            found[hit.article] |= hit.terms
    values = (
        best.cosine,
        above,
        min(above / (float(scores[1:].std()) + 0.05), 6.0),
        covered,
        float(max(hits, key=lambda hit: hit.sparse).article == best.article),
        math.log1p(len(question.terms)),
        rarest(rarity.keys() & has),
        rarest(known - has),
        above_small(catalogue, access_sets),
        best.score,
        by_words,
        share(best.terms),
        in_title,
        share([*title, *words.numbers(" ".join(best.headings))]),
        len(set(title) & weights.keys()) / (len(set(title)) or 1),
        rarest(rarity.keys() - has),
        rarest(rarity.keys() - set(title)),
        len(weights.keys() - has) / (len(weights) or 1),
        max(hit.cosine for hit in own) - max((hit.cosine for hit in others), default=0.0),
        by_words - max((hit.sparse for hit in others), default=0.0),
        *(float(scores[0] - scores[place]) for place in (1, 2, 4)),
        in_title - max((share(words.numbers(hit.title)) for hit in others_best), default=0.0),
        covered - max((share(terms) for terms in found.values()), default=0.0),
        float(max(hits, key=lambda hit: hit.cosine).article == best.article),
        math.log1p(len(own)),
        paired((np.frombuffer(hit.text_terms, dtype="<u4").tolist() for hit in own), covered),
        paired([title], in_title),
        near_title,
        near_title - max((float(titles[hit.title] @ question.vector) for hit in others_best), default=0.0),
        max((float(titles[hit.title] @ titles[best.title]) for hit in others_best), default=0.0),
    )
    return dict(zip(FEATURES, values, strict=True))


def above_small(catalogue: Catalogue, access_sets: Sequence[str]) -> float:
    """The logarithm of how many times larger than a small base is what this person may see; 0 up to there."""
    passages = sum(len(catalogue.sparse[key]) for key in access_sets if key in catalogue.sparse)
    return math.log(max(passages / SMALL, 1.0))
