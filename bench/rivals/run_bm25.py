"""BM25 over whole documents, title and text, as bm25s' README shows."""

import json
from collections.abc import Sequence
from pathlib import Path

import bm25s
import Stemmer
from beir import Document, Found, Question, Vectors, main


class Bm25:
    def __init__(self) -> None:
        self.stemmer = Stemmer.Stemmer("english")

    def ingest(self, documents: Sequence[Document], store: Path) -> int:
        tokens = bm25s.tokenize(
            [document.whole for document in documents], stopwords="en", stemmer=self.stemmer, show_progress=False
        )
        retriever = bm25s.BM25()
        retriever.index(tokens, show_progress=False)
        retriever.save(store)
        (store / "ids.json").write_text(json.dumps([document.id for document in documents]))
        return len(documents)

    def ingest_embedded(self, passages: Sequence[Document], vectors: Vectors, store: Path) -> None:
        self.ingest(passages, store)

    def open(self, store: Path) -> None:
        self.retriever = bm25s.BM25.load(store)
        self.ids = json.loads((store / "ids.json").read_text())

    def search(self, question: Question, passages: int) -> Found:
        tokens = bm25s.tokenize(question.text, stopwords="en", stemmer=self.stemmer, show_progress=False)
        rows, scores = self.retriever.retrieve(tokens, k=min(passages, len(self.ids)), show_progress=False)
        return [(self.ids[row], float(score)) for row, score in zip(rows[0], scores[0], strict=True) if score > 0]


if __name__ == "__main__":
    main("bm25s", Bm25)
