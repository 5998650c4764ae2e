"""Which passage of the best article is shown."""

import numpy as np
import pytest

from knowledge.choosing import passage_to_show
from knowledge.retrieval import Hit, Question

VPN, LAPTOP = 1, 2
QUESTION = Question(np.zeros(1, dtype=np.float32), {VPN: 1.0, LAPTOP: 1.0})


def hit(passage: int, score: float, *, steps: int, terms: set[int], article: int = 1) -> Hit:
    return Hit(passage, article, f"a{article}", "Set up the VPN", None, (), "", steps, score, 0.0, frozenset(terms))


ASIDE = hit(1, 0.90, steps=0, terms={VPN, LAPTOP})


@pytest.mark.parametrize(
    ("steps", "asked", "shown"),
    [
        (hit(2, 0.85, steps=7, terms={VPN, LAPTOP}), "vpn laptop", 2),
        (hit(2, 0.80, steps=7, terms={VPN, LAPTOP}), "vpn laptop", 1),
        (hit(2, 0.85, steps=7, terms={VPN}), "vpn laptop", 1),
        (hit(2, 0.80, steps=7, terms={VPN}), "How do I set up the VPN on my laptop?", 2),
        (hit(2, 0.70, steps=7, terms={VPN}), "How do I set up the VPN on my laptop?", 1),
        (hit(2, 0.85, steps=7, terms={VPN, LAPTOP}, article=2), "how to set up the vpn", 1),
    ],
    ids=[
        "as good, the same words",
        "not as good",
        "another word is asked, too",
        "how is asked",
        "how, but far off",
        "of another article",
    ],
)
def test_steps_are_shown_where_they_answer(steps: Hit, asked: str, shown: int) -> None:
    assert passage_to_show([ASIDE, steps], QUESTION, asked) == shown
