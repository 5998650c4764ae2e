"""Texts to vectors by an exported model: the one file that imports onnxruntime."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from tokenizers import Tokenizer

from knowledge.errors import ModelUnavailable

Vectors = NDArray[np.float32]

BATCH_TOKENS = 4_096  # of padded input in one run: bounds memory, and larger gains nothing on a few cores
MOST_TOKENS = 256
REMEMBERED_TEXTS = 512
EXPORT_VERSION = 1  # raise it when export.py writes something else


def exported_model(model_name: str, cache: Path) -> Path:
    """The folder of the exported model; exported now, in a child process, if it isn't there yet (8 seconds).

    Raises `ModelUnavailable` when that fails.
    """
    named = f"{Path(model_name).name}-{state_of(Path(model_name))}" if is_folder(model_name) else model_name
    slug = re.sub(r"[^A-Za-z0-9.-]+", "-", named).strip("-") or "all-MiniLM-L6-v2"
    folder = cache / f"{slug}-{EXPORT_VERSION}"
    if (folder / "model.json").exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{folder.name}.lock"):
        if not (folder / "model.json").exists():
            environment = os.environ | {"PYTHONWARNINGS": "ignore"}
            run = subprocess.run(  # noqa: S603 (our own interpreter and module)
                [sys.executable, "-m", "knowledge.export", model_name, str(folder)],
                capture_output=True,
                text=True,
                env=environment,
            )
            if run.returncode != 0 or not (folder / "model.json").exists():
                reason = (run.stderr.strip().splitlines() or ["no output"])[-1]
                raise ModelUnavailable(f"The embedding model {slug} could not be exported: {reason}")
    return folder


def is_folder(model_name: str) -> bool:
    return bool(model_name) and Path(model_name).is_dir()


def state_of(folder: Path) -> str:
    """Changes when a file in it does, and not when the folder is moved: an export of other weights must not be taken
    for one of these."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    told = [(path.relative_to(folder).as_posix(), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]


class Embedder:
    """Safe to share between threads: neither the session nor the tokenizer is changed after loading."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime  # type: ignore[import-untyped]  # ships no stubs

        about = json.loads((folder / "model.json").read_text())
        self.name: str = about["name"]
        self.dimension: int = about["dimension"]
        self.max_tokens: int = min(about["max_tokens"], MOST_TOKENS)
        self._pooling: str = about["pooling"]
        self.tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(2, os.cpu_count() or 1)
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Waiting threads would otherwise burn a core between questions.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [value.name for value in self._session.get_inputs()]
        self._remembered: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = Lock()

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without the two that mark start and end."""
        return [len(entry.ids) for entry in self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors (n, dimension), L2-normalised; a text counts up to `max_tokens` tokens."""
        entries = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=True)
        tokens = [
            entry.ids if len(entry.ids) <= self.max_tokens else [*entry.ids[: self.max_tokens - 1], entry.ids[-1]]
            for entry in entries
        ]
        vectors = np.zeros((len(tokens), self.dimension), dtype=np.float32)
        for batch in batches(tokens):
            vectors[batch] = self._run([tokens[index] for index in batch])
        return vectors

    def encode_question(self, text: str) -> Vectors:
        """One vector, of shape (dimension,); remembered, as routing and answering ask for the same text in turn."""
        with self._lock:
            known = self._remembered.get(text)
            if known is not None:
                self._remembered.move_to_end(text)
                return known
        vector: Vectors = self.encode([text])[0]
        vector.setflags(write=False)
        with self._lock:
            self._remembered[text] = vector
            while len(self._remembered) > REMEMBERED_TEXTS:
                self._remembered.popitem(last=False)
        return vector

    def _run(self, batch: list[list[int]]) -> Vectors:
        longest = max(map(len, batch))
        ids = np.zeros((len(batch), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states: Vectors = self._session.run(None, {name: given[name] for name in self._inputs})[0]
        if self._pooling == "cls":
            pooled = states[:, 0]
        else:
            weights = mask[:, :, None].astype(np.float32)
            pooled = (states * weights).sum(axis=1) / weights.sum(axis=1)
        length = np.linalg.norm(pooled, axis=1, keepdims=True)
        result: Vectors = (pooled / np.maximum(length, 1e-12)).astype(np.float32)
        return result


def batches(tokens: Sequence[Sequence[int]]) -> list[list[int]]:
    """Indices in batches of similar length, so that little is padding."""
    order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
    result: list[list[int]] = []
    for index in order:
        if result and (len(result[-1]) + 1) * len(tokens[index]) <= BATCH_TOKENS:
            result[-1].append(index)
        else:
            result.append([index])
    return result
