"""The same MiniLM on bare onnxruntime: what embedding costs when nothing is built around it."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

Vectors = NDArray[np.float32]

MOST_TOKENS = 256  # what the model reads
BATCH = 32


class MiniLM:
    def __init__(self, folder: Path) -> None:
        """`folder` holds `model.onnx` and `tokenizer.json`."""
        import onnxruntime  # type: ignore[import-untyped]  # ships no stubs

        self.tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(2, os.cpu_count() or 1)
        self.session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def encode(self, texts: Sequence[str]) -> Vectors:
        """(n, 384), L2-normalised; batches of like length, so that little is padding."""
        tokens = [entry.ids for entry in self.tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))
        result = np.zeros((len(texts), 384), dtype=np.float32)
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            result[rows] = self.run([tokens[row] for row in rows])
        return result

    def run(self, batch: Sequence[Sequence[int]]) -> Vectors:
        length = min(max(map(len, batch)), MOST_TOKENS)
        ids = np.zeros((len(batch), length), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            kept = tokens if len(tokens) <= length else [*tokens[: length - 1], tokens[-1]]
            ids[row, : len(kept)], mask[row, : len(kept)] = kept, 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states: Vectors = self.session.run(None, given)[0]
        pooled = (states * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        normalised: Vectors = (pooled / np.linalg.norm(pooled, axis=1, keepdims=True)).astype(np.float32)
        return normalised
