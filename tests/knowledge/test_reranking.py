"""A cross-encoder by name, if one is set, puts the best passages in its order."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge.articles import Document
from knowledge.errors import RerankerUnavailable
from knowledge.library import Library
from knowledge.reranking import Reranker, loaded
from knowledge.retrieval import Hit
from knowledge.settings import KnowledgeSettings
from store import Database

QUESTION = "How do I add a printer?"


def hit(passage: int, score: float) -> Hit:
    return Hit(passage, passage, f"a{passage}", f"Title {passage}", None, (), "", 0, score, 0.0, frozenset())


class Preferring:
    """Finds best what has the most of a word."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.read: list[tuple[str, str]] = []

    def predict(self, inputs: list[tuple[str, str]], *, show_progress_bar: bool | None = None) -> Any:
        self.read += inputs
        return np.array([text.lower().count(self.word) for _, text in inputs], dtype=np.float32)


def test_the_best_passages_change_places_and_keep_the_scores_in_order() -> None:
    hits = [hit(1, 0.9), hit(2, 0.8), hit(3, 0.7), hit(4, 0.6)]
    texts = {1: "no", 2: "yes", 3: "yes yes", 4: "yes yes yes"}
    ranked = Reranker("fake", 3, model=Preferring("yes")).reranked("?", hits, texts)
    assert [each.passage for each in ranked] == [3, 2, 1, 4]
    assert [each.score for each in ranked] == [0.9, 0.8, 0.7, 0.6]
    assert [each.cosine for each in ranked] == [0.7, 0.8, 0.9, 0.6]


def test_equal_passages_and_those_without_a_text_stay_where_they_are() -> None:
    hits = [hit(1, 0.9), hit(2, 0.8), hit(3, 0.7)]
    model = Preferring("yes")
    assert Reranker("fake", 3, model=model).reranked("?", hits, {1: "a", 2: "b", 3: "c"}) == [
        *(Hit(**{**vars(each), "moved": each.score}) for each in hits)
    ]
    assert [h.passage for h in Reranker("fake", 3, model=model).reranked("?", hits, {1: "no", 3: "yes"})] == [3, 2, 1]
    assert Reranker("fake", 3, model=model).reranked("?", hits[:1], {1: "a"}) == hits[:1]


@pytest.fixture
def reranking(
    database: Database, settings: KnowledgeSettings, article: Callable[..., Document], monkeypatch: pytest.MonkeyPatch
) -> Any:
    model = Preferring("toner")
    monkeypatch.setattr("knowledge.reranking.loaded", lambda name: model)
    with Library(database, settings.model_copy(update={"reranker": "some/model"})) as library:
        library.add(
            [
                article("add", "Add a printer", "1. Open *Printers*.\n2. Choose *Add a printer*.\n"),
                article("ink", "Change the printer's toner", "The toner of a printer is behind its front.\n"),
                article("pay", "Printer toner for managers", "toner toner toner\n", access=("managers",)),
            ]
        )
        yield library, model


def test_an_answer_follows_the_cross_encoder_which_reads_only_what_the_asker_may_see(reranking: Any) -> None:
    library, model = reranking
    assert library.answer(QUESTION).citations[0].article_id == "ink"
    assert [ranked.article_id for ranked in library.rank(QUESTION)][:2] == ["ink", "add"]
    assert not any("managers" in text for _, text in model.read)
    assert {question for question, _ in model.read} == {QUESTION}


def test_a_name_that_cannot_be_loaded_is_one_clear_line_at_the_start(
    database: Database, settings: KnowledgeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    name = str(tmp_path / "nothing")
    library = Library(database, settings.model_copy(update={"reranker": name}))
    with library, pytest.raises(RerankerUnavailable) as raised:
        library.warm()
    assert str(raised.value).startswith(f"DESKMATE_RERANKER={name} can't be loaded: ")
    assert len(str(raised.value).splitlines()) == 1


def tiny(folder: Path, labels: int = 1) -> str:
    """A cross-encoder of a few random weights, as sentence-transformers would load one by name."""
    import transformers

    models: Any = transformers  # whose names are made when they are asked for

    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "printer", "toner", "add", "a", "how", "do", "i"]
    (folder / "vocab.txt").write_text("\n".join(words))
    models.BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    config = models.BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=64, num_labels=labels,
    )  # fmt: skip
    models.BertForSequenceClassification(config).save_pretrained(folder)
    return str(folder)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_real_cross_encoder_is_loaded_by_its_name_and_decides_the_order(tmp_path: Path) -> None:
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    name = tiny(tmp_path / "model")
    hits = [hit(1, 0.9), hit(2, 0.8), hit(3, 0.7)]
    texts = {1: "add a printer", 2: "toner toner", 3: "how do i add a toner"}
    scores = np.asarray(loaded(name).predict([(QUESTION, texts[each]) for each in (1, 2, 3)])).reshape(-1)
    ranked = Reranker(name, 3).reranked(QUESTION, hits, texts)
    assert [each.passage for each in ranked] == [int(place) + 1 for place in np.argsort(-scores)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_classifier_of_several_classes_is_no_reranker(tmp_path: Path) -> None:
    with pytest.raises(RerankerUnavailable, match="3 scores for a pair"):
        loaded(tiny(tmp_path / "model", labels=3))
