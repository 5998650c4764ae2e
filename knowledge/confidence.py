"""How likely the best article answers the question, from what ranking it found out."""

import math
from collections.abc import Sequence

from knowledge.retrieval import Hit

# Fitted by bench/fit_confidence.py on 2,068 real help articles (whole, and in small bases of 40) and 72 threads with
# people's paraphrases: 1,400 labelled questions, the same with their article withheld, and 520 out of scope.
# Cross-validated AUROC .957 (whole), .990 (small), .968 (paraphrased). At the threshold 5 % of what is answered is
# wrong (7, 4, 3 %); 88, 97 and 81 % of what is answerable and ranked first is answered, 17, 9 and 7 % of that whose
# article is missing, 0.2 % of what is out of scope.
INTERCEPT = -7.99
COEFFICIENTS = {"score": 2.547, "margin": 14.07, "coverage": 1.049, "cosine": 6.075}
THRESHOLD = 0.71


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
