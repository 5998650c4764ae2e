"""The dense baseline: MiniLM on bare onnxruntime, each passage with `title > headings` before it, cosine by numpy.

The exported model's folder is in the environment variable ONNX_MODEL.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from beir import Document, Found, Question, Vectors, main
from minilm import MiniLM
from passages import passages_of


class Dense:
    def __init__(self) -> None:
        self.model = MiniLM(Path(os.environ["ONNX_MODEL"]))

    def ingest(self, documents: Sequence[Document], store: Path) -> int:
        passages = [
            Document(document.id, "", text)
            for document in documents
            for text in passages_of(document.title, document.text, self.model.tokenizer)
        ]
        self.ingest_embedded(passages, self.model.encode([passage.text for passage in passages]), store)
        return len(passages)

    def ingest_embedded(self, passages: Sequence[Document], vectors: Vectors, store: Path) -> None:
        np.save(store / "vectors.npy", vectors)
        (store / "ids.json").write_text(json.dumps([passage.id for passage in passages]))

    def open(self, store: Path) -> None:
        self.vectors = np.load(store / "vectors.npy")
        self.ids = json.loads((store / "ids.json").read_text())

    def search(self, question: Question, passages: int) -> Found:
        return [(self.ids[row], score) for row, score in self.nearest(question.text, passages)]

    def nearest(self, text: str, passages: int) -> list[tuple[int, float]]:
        """Rows and cosines, best first."""
        cosines = self.vectors @ self.model.encode([text])[0]
        wanted = min(passages, len(cosines))
        rows = np.argpartition(-cosines, wanted - 1)[:wanted]
        rows = rows[np.argsort(-cosines[rows])]
        return [(int(row), float(cosines[row])) for row in rows]


if __name__ == "__main__":
    main("dense", Dense)
