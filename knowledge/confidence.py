"""How likely the best article answers the question, from what the search found.

Near twins (a procedure for Windows, the same for macOS) are normal in a help desk's articles, so the best article is
compared with what lies behind the first few, not with the next. A large knowledge base has something near for every
question, so the bar rises with the number of passages.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np

from knowledge.catalogue import Catalogue
from knowledge.retrieval import Hit, Question, best_per_article

# Fitted by bench/fit_confidence.py, which says on what. Cross-validated: of questions whose article is cited 91 % are
# answered from 2,068 articles and 99 % from 40-100 (62 and 90 % as people ask); of those out of scope 0.8 and 3 %. The
# price: a question whose article is missing is answered from another in 22 % of cases from 2,068 articles and 46 % from
# 40-100 (7 and 32 % as people ask).
INTERCEPT = -7.537
COEFFICIENTS = {
    "cosine": 6.915,
    "above": 3.243,
    "spread": 0.546,
    "coverage": 1.314,
    "agreed": 0.396,
    "length": 0.495,
    "met": 0.805,
    "missed": 0.15,
}
PER_SIZE = 0.317  # taken off the logit for each e-fold of passages above `SMALL`
SMALL = 300  # passages
THRESHOLD = 0.5
VERSION = hashlib.sha256(repr((INTERCEPT, COEFFICIENTS, PER_SIZE, SMALL)).encode()).hexdigest()[:8]
UNSURE = 0.1  # of an answer that must not be given as sure, whatever was found

TWINS = 4  # articles that may be as good as the first
COMPARED = 12  # articles
TYPICAL = 0.25  # the score of an article that has little to do with the question: stands in where a base has few


def features(hits: Sequence[Hit], question: Question, catalogue: Catalogue) -> dict[str, float]:
    """Of passages, best first; `hits` must not be empty.

    cosine: of the best passage. above, spread: by how much the best article's score exceeds what lies behind the
    first few, as it is and in standard deviations. coverage: the share of the question's weight whose words the best
    article has. agreed: the search by words alone has the same best article. length: of the question. met, missed:
    the rarest of its words that the article has, and that only others have; 1 is a word that no article has.
    """
    ranked = best_per_article(hits)
    best = ranked[0]
    scores = np.array([hit.score for hit in ranked[:COMPARED]])
    padding = np.full(COMPARED - len(scores), min(TYPICAL, float(scores[-1])))
    scores = np.concatenate([scores, padding])
    above = float(scores[0] - scores[TWINS:].mean())
    index = catalogue.sparse[best.access_set]
    has = set[int]().union(*(hit.terms for hit in hits if hit.article == best.article))
    rarity = index.rarity(question.terms)
    known = [rarity[term] for term in rarity if index.knows(term)]
    usual = sum(known) / len(known) if known else 1.0
    # Whoever asks adds words that no article has ("since yesterday"): they weigh as an average one.
    weights = {term: count * (rarity[term] if index.knows(term) else usual) for term, count in question.terms.items()}
    highest = index.unknown_idf
    return {
        "cosine": best.cosine,
        "above": above,
        "spread": min(above / (float(scores[1:].std()) + 0.05), 6.0),
        "coverage": sum(weights[term] for term in weights if term in has) / (sum(weights.values()) or 1.0),
        "agreed": float(max(hits, key=lambda hit: hit.sparse).article == best.article),
        "length": math.log1p(len(question.terms)),
        "met": max((rarity[term] for term in rarity if term in has), default=0.0) / highest,
        "missed": max((rarity[term] for term in rarity if term not in has and index.knows(term)), default=0.0)
        / highest,
    }


def above_small(catalogue: Catalogue, access_sets: Sequence[str]) -> float:
    """The logarithm of how many times larger than a small base is what this person may see; 0 up to there."""
    passages = sum(len(catalogue.sparse[key]) for key in access_sets if key in catalogue.sparse)
    return math.log(max(passages / SMALL, 1.0))


def confidence(hits: Sequence[Hit], question: Question, catalogue: Catalogue, access_sets: Sequence[str]) -> float:
    """Between 0 and 1; 0 without hits."""
    return probability(features(hits, question, catalogue), catalogue, access_sets) if hits else 0.0


def probability(found: Mapping[str, float], catalogue: Catalogue, access_sets: Sequence[str]) -> float:
    """Of features."""
    logit = INTERCEPT + sum(weight * found[name] for name, weight in COEFFICIENTS.items())
    return 1.0 / (1.0 + math.exp(PER_SIZE * above_small(catalogue, access_sets) - logit))
