"""How likely the best article answers the question, from what ranking it found out."""

import math
from collections.abc import Sequence

from knowledge.retrieval import Hit

# Fitted by bench/fit_confidence.py; see there for the data and the cross-validated error.
INTERCEPT = -6.0
COEFFICIENTS = {"score": 5.0, "margin": 4.0, "coverage": 2.0, "cosine": 2.0}
THRESHOLD = 0.6


def features(ranked: Sequence[Hit]) -> dict[str, float]:
    """Of the articles, best first; `ranked` must not be empty. The margin is capped: beyond that it says no more."""
    top = ranked[0]
    margin = top.score - ranked[1].score if len(ranked) > 1 else 0.0
    return {"score": top.score, "margin": min(margin, 0.3), "coverage": top.coverage, "cosine": top.cosine}


def confidence(ranked: Sequence[Hit]) -> float:
    if not ranked:
        return 0.0
    found = features(ranked)
    logit = INTERCEPT + sum(weight * found[name] for name, weight in COEFFICIENTS.items())
    return 1.0 / (1.0 + math.exp(-logit))
