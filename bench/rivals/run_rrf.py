"""The bare hybrid: the dense baseline and bm25s over the same passages, joined by reciprocal rank fusion (Cormack,
Clarke, Büttcher 2009, k = 60). Also the bare pipeline that times are compared with."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import bm25s
import Stemmer
from beir import Document, Found, Question, Vectors, main
from run_dense import Dense

K = 60


class Rrf(Dense):
    def __init__(self) -> None:
        super().__init__()
        self.stemmer = Stemmer.Stemmer("english")

    def ingest_embedded(self, passages: Sequence[Document], vectors: Vectors, store: Path) -> None:
        super().ingest_embedded(passages, vectors, store)
        tokens = bm25s.tokenize(
            [passage.whole for passage in passages], stopwords="en", stemmer=self.stemmer, show_progress=False
        )
        sparse = bm25s.BM25()
        sparse.index(tokens, show_progress=False)
        sparse.save(store / "sparse")

    def open(self, store: Path) -> None:
        super().open(store)
        self.sparse = bm25s.BM25.load(store / "sparse")

    def search(self, question: Question, passages: int) -> Found:
        tokens = bm25s.tokenize(question.text, stopwords="en", stemmer=self.stemmer, show_progress=False)
        rows, scores = self.sparse.retrieve(tokens, k=min(passages, len(self.ids)), show_progress=False)
        by_words = [int(row) for row, score in zip(rows[0], scores[0], strict=True) if score > 0]
        by_meaning = [row for row, _ in self.nearest(question.text, passages)]
        fused: dict[int, float] = defaultdict(float)
        for ranking in (by_meaning, by_words):
            for rank, row in enumerate(ranking, 1):
                fused[row] += 1 / (K + rank)
        best = sorted(fused.items(), key=lambda item: -item[1])[:passages]
        return [(self.ids[row], score) for row, score in best]


if __name__ == "__main__":
    main("rrf", Rrf)
