"""What a search leaves behind for whoever asks why."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter

from knowledge.articles import Document
from knowledge.library import Library
from knowledge.retrieval import Hit
from knowledge.trace import LONGEST, MOST_CANDIDATES, Stage, Trace, Versions, replacements, traced

VERSIONS = Versions("model.c1", "model", "1", 7, "abc")
VPN = "1. Open the VPN app on your laptop.\n2. Sign in with your password.\n"
PAY = "1. Open the salary portal.\n2. Choose pay bands.\n"
MakeArticle = Callable[..., Document]


def hit(passage: int, *, cosine: float, sparse: float = 0.0) -> Hit:
    return Hit(
        passage, passage, f"a{passage}", f"Title {passage}", None, ("Part", "Steps"), "", 0, cosine, sparse, frozenset()
    )


def trace_of(*hits: Hit, confidence: float = 0.9, **other: Any) -> Trace:
    found: dict[str, Any] = {
        "understood": "how",
        "earlier": (),
        "access_sets": ("", "f00"),
        "hits": hits,
        "features": {"cosine": 0.5},
        "confidence": confidence,
        "threshold": 0.5,
        "reservation": None,
        "versions": VERSIONS,
        "timings_ms": {"retrieve": 3.0},
    }
    return traced("how", **(found | other))


def test_each_candidate_has_its_place_in_both_searches() -> None:
    trace = trace_of(hit(1, cosine=0.5, sparse=0.9), hit(2, cosine=0.7), hit(3, cosine=0.1, sparse=0.2))

    assert [(c.passage_id, c.rank_dense, c.rank_sparse) for c in trace.candidates] == [
        (1, 2, 1),
        (2, 1, None),
        (3, 3, 2),
    ]
    assert trace.candidates[0].score == pytest.approx(1.04)
    assert trace.candidates[0].heading == "Steps"


def test_only_the_first_candidates_are_kept_and_the_number_of_all() -> None:
    trace = trace_of(*(hit(number, cosine=1 - number / 100) for number in range(1, 60)))
    assert (len(trace.candidates), trace.considered) == (MOST_CANDIDATES, 59)


@pytest.mark.parametrize(
    ("hits", "other", "decision", "because"),
    [
        ((hit(1, cosine=0.9),), {"confidence": 0.8}, "answer", "reaches"),
        ((hit(1, cosine=0.9),), {"confidence": 0.4}, "no answer", "below"),
        ((hit(1, cosine=0.9),), {"confidence": 0.1, "reservation": "it names damage"}, "no answer", "damage"),
        ((), {"confidence": 0.0}, "nothing found", "no article"),
    ],
)
def test_it_says_what_was_decided_and_why(
    hits: tuple[Hit, ...], other: dict[str, Any], decision: str, because: str
) -> None:
    trace = trace_of(*hits, **other)
    assert trace.decision == decision
    assert because in trace.because


@pytest.mark.parametrize(
    ("question", "understood", "expected"),
    [
        ("connect wlan", "connect wlan", ()),
        ("my wlan, please", "my Wi-Fi, please", (("wlan", "Wi-Fi"),)),
        ("homeoffice on a pc?", "home office on a computer?", (("homeoffice", "home office"), ("pc", "computer"))),
        ("hello there: printer", "printer", (("hello there", ""),)),
    ],
)
def test_words_that_were_searched_otherwise_than_written_are_named(
    question: str, understood: str, expected: tuple[tuple[str, str], ...]
) -> None:
    assert replacements(question, understood) == expected


def test_it_is_json_of_bounded_size_with_finite_numbers_and_comes_back_the_same() -> None:
    long = "x" * 5 * LONGEST
    trace = trace_of(hit(1, cosine=float("nan"), sparse=float("inf")), understood=long, earlier=(long,))
    adapter = TypeAdapter(Trace)

    written = adapter.dump_json(trace)
    assert len(written) < 4 * LONGEST
    assert b"NaN" not in written
    assert trace.candidates[0].cosine == trace.candidates[0].sparse == 0
    assert adapter.validate_json(written) == trace


def test_a_later_stage_is_added_behind() -> None:
    trace = trace_of(hit(1, cosine=0.9)).then(
        Stage("language model", "wrote it in its own words", 900.0, {"tokens": 70})
    )
    assert [stage.name for stage in trace.stages] == ["retrieve", "language model"]


def test_an_answer_tells_what_it_read_and_only_of_what_the_asker_may_see(
    library: Library, article: MakeArticle
) -> None:
    library.add(
        [
            article("vpn", "Connect to the VPN", VPN),
            article("pay", "Salary portal", PAY, access=("executives",)),
        ]
    )
    question = "how do I choose pay bands with my pwd?"
    nobody = library.answer(question, earlier=["hello"]).trace
    reader = library.answer(question, groups=frozenset({"executives"})).trace

    assert nobody is not None
    assert reader is not None
    assert {candidate.article_id for candidate in nobody.candidates} == {"vpn"}
    assert reader.candidates[0].title == "Salary portal"
    assert (nobody.access_sets, len(reader.access_sets)) == (("everybody",), 2)
    assert "executives" not in str(reader)
    assert "Salary portal" not in str(nobody)
    assert nobody.replaced == (("pwd", "password"),)
    assert nobody.earlier == ("hello",)
    assert nobody.features["cosine"] == pytest.approx(max(c.cosine for c in nobody.candidates), abs=1e-3)
    assert nobody.versions.catalogue_change > 0


def test_nothing_found_has_a_trace_too(library: Library) -> None:
    answer = library.answer("anything?")
    assert answer.trace is not None
    assert (answer.trace.decision, answer.trace.candidates) == ("nothing found", ())
