"""The best passages in the order of a cross-encoder, which reads question and passage together.

Off by default: twenty passages take about a second on two cores, and in a first trial it lowered the rank of right
answers on most sets. Measure it on questions of your own (`deskmate evaluate`) before you turn it on.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.errors import RerankerUnavailable
from knowledge.records import Passage
from knowledge.retrieval import Hit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class CrossEncoder(Protocol):
    """What is used of sentence-transformers' class of this name."""

    def predict(self, inputs: list[tuple[str, str]], *, show_progress_bar: bool | None = None) -> "ArrayLike": ...


class Reranker:
    """Safe to share between threads. Imports sentence-transformers and loads the model at the first use, or `open`."""

    def __init__(self, name: str, passages: int, *, model: CrossEncoder | None = None) -> None:
        """`passages`: how many of the best it reads for a question. `model` is given in tests."""
        self.name = name
        self.passages = passages
        self._model = model
        self._lock = Lock()

    def open(self) -> CrossEncoder:
        """Raises `RerankerUnavailable`, one clear line."""
        with self._lock:
            if self._model is None:
                self._model = loaded(self.name)
            return self._model

    def reranked(self, question: str, hits: Sequence[Hit], texts: Mapping[int, str]) -> list[Hit]:
        """The hits (best first) with the best `passages` of them in the order of the cross-encoder.

        They exchange their scores: what is built on scores, such as the confidence, sees the same numbers in another
        order. Passages without a text in `texts` keep their place. Raises `RerankerUnavailable`.
        """
        places = [place for place, hit in enumerate(hits[: self.passages]) if hit.passage in texts]
        if len(places) < 2:
            return list(hits)
        model = self.open()
        pairs = [(question, texts[hits[place].passage]) for place in places]
        with self._lock:
            scores = _flat(model.predict(pairs, show_progress_bar=False))
        order = sorted(range(len(places)), key=lambda number: -scores[number])
        result = list(hits)
        for place, number in zip(places, order, strict=True):
            result[place] = replace(hits[places[number]], moved=hits[place].score)
        return result


def _flat(scores: "ArrayLike") -> "list[float]":
    import numpy as np

    return [float(score) for score in np.asarray(scores, dtype=np.float64).reshape(-1)]


def loaded(name: str) -> CrossEncoder:
    """Raises `RerankerUnavailable`."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        from sentence_transformers import CrossEncoder as Model

        model: Any = Model(name, device="cpu")
    except Exception as error:  # hubs, files and versions fail in their own ways
        first = (str(error).strip().splitlines() or [""])[0][:200].rstrip(".")
        raise RerankerUnavailable(
            f"DESKMATE_RERANKER={name} can't be loaded: {first or type(error).__name__}."
        ) from error
    labels = getattr(model, "num_labels", 1)
    if labels != 1:
        raise RerankerUnavailable(
            f"DESKMATE_RERANKER={name} can't be used: it gives {labels} scores for a pair, not one."
        )
    made: CrossEncoder = model
    return made


def texts_of(session: Session, hits: Sequence[Hit]) -> dict[int, str]:
    """What a cross-encoder reads of each: title, headings, text."""
    rows = session.execute(select(Passage.id, Passage.text).where(Passage.id.in_([hit.passage for hit in hits])))
    found: dict[int, str] = {row[0]: row[1] for row in rows}
    return {
        hit.passage: "\n".join([" › ".join([hit.title, *hit.headings]), found[hit.passage]])
        for hit in hits
        if hit.passage in found
    }
