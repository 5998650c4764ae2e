"""Probabilities that mean what they say, bars that keep what they promise, and files that can't be used."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge.calibrating import Example, TooFewExamples, asking_bar, bars, fit, folds_of
from knowledge.calibration import (
    LEAF,
    NEVER,
    SHIPPED,
    Calibration,
    CalibrationUnreadable,
    Tree,
    calibration_for,
    read,
    write,
)
from knowledge.codes import speaks_of_all_codes
from knowledge.confidence import FEATURES
from knowledge.judging import Judge
from knowledge.settings import KnowledgeSettings
from knowledge.sparse import Words
from knowledge.titles import Titles
from store import Database

NOW = datetime(2026, 3, 2, tzinfo=UTC)
PLAIN = Calibration(0.0, {}, ((0.05, 0.7), (0.2, 0.4)), 0.3, "2026-03-02", 40, "all-MiniLM-L6-v2")


def examples(count: int, seed: int = 3) -> list[Example]:
    """Questions of which one feature tells how likely the find is right; the others are noise."""
    chance = np.random.default_rng(seed)
    made = []
    for number in range(count):
        values = chance.normal(size=len(FEATURES))
        likely = 1 / (1 + np.exp(-2.5 * values[0]))
        right = bool(chance.random() < likely)
        features = dict(zip(FEATURES, map(float, values), strict=True))
        made.append(Example(f"question {number}", "asked", features, right, among=right or number % 2 == 0))
    return made


@pytest.mark.parametrize("count", [200, 900], ids=["few, so a line", "many, so trees"])
def test_a_probability_means_what_it_says_on_questions_it_has_not_seen(count: int) -> None:
    made = fit(examples(count), embedder="m", now=NOW).calibration
    unseen = examples(4_000, seed=9)
    told = np.array([made.probability(example.features) for example in unseen])
    right = np.array([example.right for example in unseen])
    for low in (0.0, 0.25, 0.5, 0.75):
        here = (told >= low) & (told < low + 0.25)
        assert abs(told[here].mean() - right[here].mean()) < 0.12
    assert made.questions == count
    assert 0 < made.measured["brier"] < 0.25


def test_the_bar_for_a_share_of_wrong_answers_keeps_it_on_what_was_held_out() -> None:
    found = examples(900)
    fitted = fit(found, embedder="m", now=NOW)
    right = np.array([example.right for example in found])
    for error, bar in fitted.calibration.bars:
        answered = fitted.held_out >= bar
        assert (~right[answered]).mean() <= error
    errors = [error for error, _ in fitted.calibration.bars]
    assert errors == sorted(errors)
    assert fitted.calibration.bar(0.3) <= fitted.calibration.bar(0.1)


def test_a_target_that_no_bar_keeps_means_that_nothing_is_answered() -> None:
    assert PLAIN.bar(0.01) == NEVER
    assert PLAIN.bar(0.05) == 0.7
    assert PLAIN.bar(0.5) == 0.4
    assert PLAIN.asking_from(0.05) == 0.3
    assert replace(PLAIN, asking=0.9).asking_from(0.05) == 0.7, "never above the bar for an answer"


def test_questions_are_weighed_for_the_bar_and_ties_are_answered_together() -> None:
    probability = np.array([0.9, 0.8, 0.8, 0.1])
    right = np.array([True, True, False, False])
    assert dict(bars(probability, right, np.ones(4)))[0.05] == pytest.approx(0.9, abs=1e-4)
    assert dict(bars(probability, right, np.array([1.0, 1.0, 0.0, 1.0])))[0.05] == pytest.approx(0.8, abs=1e-4)
    assert asking_bar(probability, np.array([True, False, False, False]), np.ones(4)) == pytest.approx(0.82, abs=0.1)
    assert asking_bar(probability, np.zeros(4, dtype=bool), np.ones(4)) == 1.0


def test_all_examples_of_a_question_are_in_one_fold_whatever_their_order() -> None:
    questions = [f"q{number % 17}" for number in range(60)]
    folds = folds_of(questions)
    of = dict(zip(questions, folds.tolist(), strict=True))
    assert [of[question] for question in questions] == folds.tolist()
    assert set(of.values()) == set(range(5))
    backwards = folds_of(questions[::-1])
    assert backwards[::-1].tolist() == folds.tolist()


def test_too_few_examples_of_either_kind_are_refused_with_their_number() -> None:
    only_right = [replace(example, right=True) for example in examples(100)]
    with pytest.raises(TooFewExamples, match="100 right and 0 wrong"):
        fit(only_right, embedder="m", now=NOW)


def test_it_is_kept_in_the_home_and_read_again(tmp_path: Path) -> None:
    made = fit(examples(500), embedder="all-MiniLM-L6-v2", now=NOW, made_of="a test").calibration
    assert made.trees
    assert write(made, tmp_path).parent == tmp_path
    again = calibration_for(tmp_path, "all-MiniLM-L6-v2")
    assert again == made
    assert again.version == made.version
    example = examples(1, seed=5)[0]
    assert again.probability(example.features) == made.probability(example.features)


def test_without_one_in_the_home_the_shipped_one_counts(tmp_path: Path) -> None:
    shipped = calibration_for(tmp_path, "all-MiniLM-L6-v2")
    assert shipped == read(SHIPPED)
    assert 0 < shipped.asking_from(0.05) <= shipped.bar(0.05) < 1


Data = dict[str, Any]
BROKEN: dict[str, Callable[[Data], str]] = {
    "not JSON": lambda data: "{",
    "a list": lambda data: "[]",
    "other features": lambda data: json.dumps(data | {"features": 1}),
    "another chunker": lambda data: json.dumps(data | {"chunker": 999}),
    "a feature that isn't there": lambda data: json.dumps(data | {"coefficients": {"luck": 1.0}}),
    "a tree that runs in a circle": lambda data: json.dumps(
        data | {"trees": [{"feature": [0, 0, 0], "cut": [0, 0, 0], "left": [1, 0, 0], "value": [0, 0, 0]}]}
    ),
    "another embedder": lambda data: json.dumps(data | {"embedder": "other"}),
}


@pytest.mark.parametrize("case", BROKEN)
def test_one_that_cannot_be_used_is_said_in_one_line_and_the_shipped_one_counts(
    case: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(BROKEN[case](json.loads(PLAIN.as_json())))
    if case != "another embedder":
        with pytest.raises(CalibrationUnreadable, match=r"calibration\.json"):
            read(path)
    with caplog.at_level(logging.WARNING):
        assert calibration_for(tmp_path, "all-MiniLM-L6-v2") == read(SHIPPED)
    (record,) = caplog.records
    assert str(path) in record.getMessage()
    assert "\n" not in record.getMessage()


def test_a_tree_is_followed_to_its_leaf() -> None:
    tree = Tree(
        feature=(1, LEAF, 0, LEAF, LEAF), cut=(0.5, 0, 2.0, 0, 0), left=(1, 0, 3, 0, 0), value=(0, 1.0, 0, 2.0, 3.0)
    )
    assert tree.of([9.0, 0.5]) == 1.0
    assert tree.of([2.0, 0.6]) == 2.0
    assert tree.of([2.1, 0.6]) == 3.0


def test_a_calibration_made_meanwhile_counts_from_the_next_question_on(database: Database, tmp_path: Path) -> None:
    judge = Judge(KnowledgeSettings(home=tmp_path), Words(), Titles(database))
    assert judge.calibration("all-MiniLM-L6-v2") == read(SHIPPED)
    write(PLAIN, tmp_path)
    assert judge.calibration("all-MiniLM-L6-v2") == PLAIN
    (tmp_path / "calibration.json").unlink()
    assert judge.calibration("all-MiniLM-L6-v2") == read(SHIPPED)


def test_one_that_was_given_counts_whatever_the_home_has(database: Database, tmp_path: Path) -> None:
    judge = Judge(KnowledgeSettings(home=tmp_path), Words(), Titles(database))
    judge.use(PLAIN, "all-MiniLM-L6-v2")
    assert judge.calibration("all-MiniLM-L6-v2") == PLAIN


@pytest.mark.parametrize(
    ("question", "article", "speaks"),
    [
        ("update fails with 0x8007007A", "Error 0x8007007a: no space", True),
        ("update fails with 0x8007007A", "Error 0x80070070", False),
        ("TF400813 when I open the board", "TF400813: not authorised", True),
        ("TF400813 when I open the board", "TF400814: not authorised", False),
        ("LT-00412 doesn't find the printer", "Add a printer", True),
        ("office 2019 on windows 11, port 8080", "Install Office", True),
    ],
)
def test_a_code_in_the_question_has_to_be_in_the_article_and_an_asset_tag_is_none(
    question: str, article: str, speaks: bool
) -> None:
    assert speaks_of_all_codes(article, question) is speaks
