"""The router's example vectors, kept in the home, so that `deskmate ask` needn't embed them each time."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.routing import Encode

FEWEST = 8
"""Fewer texts than this are a person's message, not examples."""
SAME = 1e-3
"""How far two vectors of one text may differ: the order of additions depends on the batch."""


class KeptExamples:
    """An `Encode` that looks into the folder first."""

    def __init__(self, encode: Encode, folder: Path) -> None:
        self._encode = encode
        self._folder = folder

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if len(texts) < FEWEST:
            return self._encode(texts)
        name = hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()[:24]
        path = self._folder / f"examples-{name}.npy"
        found = self._read(path, texts)
        if found is None:
            found = self._encode(texts)
            self._write(path, found)
        return found

    def _read(self, path: Path, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """The vectors, if they are there and the model still gives the same for the last text."""
        try:
            found: NDArray[np.float32] = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        now = self._encode([texts[-1]])[0]
        if found.shape != (len(texts), len(now)) or not np.allclose(found[-1], now, atol=SAME):
            return None
        return found

    def _write(self, path: Path, vectors: NDArray[np.float32]) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            made = path.with_suffix(f".{os.getpid()}.part")
            with made.open("wb") as file:
                np.save(file, vectors)
            made.replace(path)
        except OSError:
            return  # a home that can't be written only makes the next start slower
