"""Chroma on disk, one collection per access set: the one file that imports chromadb.

Its embedded client belongs to exactly one process (a second writer loses vectors without an error), so the folder
is locked for as long as the index is open.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from knowledge.errors import OtherModel
from knowledge.vectors import FetchVectors, Near, Vectors, nearest

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

BATCH = 1_000
EVERYBODY = "everybody"


class FolderTaken(Exception):
    """Another process owns the index folder."""


class ChromaIndex:
    def __init__(self, folder: Path, generation: str) -> None:
        """Raises `FolderTaken` at once when another process has the folder, `OtherModel` when all that is in it was
        made with another model or chunker version."""
        folder.mkdir(parents=True, exist_ok=True)
        # Opened by one thread, closed by another: the lock must not be per thread.
        self._lock = FileLock(folder / "owner.lock", thread_local=False)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as taken:
            raise FolderTaken(str(folder)) from taken
        try:
            self._open(folder, generation)
        except BaseException:  # whatever it was, the folder must be free for the next
            self._lock.release()
            raise

    def _open(self, folder: Path, generation: str) -> None:
        import chromadb
        from chromadb.config import Settings

        self._prefix = re.sub(r"[^A-Za-z0-9.-]", "-", generation) + "__"
        client: Any = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
        self._client = client
        collections = self._client.list_collections()
        ours = [collection for collection in collections if collection.name.startswith(self._prefix)]
        if collections and not ours:
            self._client.close()  # else this process goes on with the folder's old state after it is deleted
            found = collections[0].name.split("__")[0]
            raise OtherModel(
                f"The index in {folder} was made with {found}, but {generation} is configured."
                f" Set DESKMATE_EMBEDDER back, or delete the folder {folder} (it is made again from the database) and"
                " run `deskmate ingest`."
            )
        for collection in collections:
            if collection not in ours:
                self._client.delete_collection(collection.name)
        self._collections: dict[str, Collection] = {}
        self._held: dict[str, set[str]] = {}
        for collection in ours:
            access_set = self._access_set(collection.name)
            self._collections[access_set] = self._client.get_collection(collection.name, embedding_function=None)
            self._held[access_set] = set(self._collections[access_set].get(include=[])["ids"])

    def _name(self, access_set: str) -> str:
        return self._prefix + (access_set or EVERYBODY)

    def _access_set(self, name: str) -> str:
        rest = name.removeprefix(self._prefix)
        return "" if rest == EVERYBODY else rest

    def search(self, vector: Vectors, access_sets: Sequence[str], limit: int) -> list[Near]:
        from chromadb.errors import NotFoundError

        found: list[Near] = []
        for access_set in access_sets:
            collection = self._collections.get(access_set)
            held = len(self._held.get(access_set, ()))
            if collection is None or not held:
                continue
            try:
                result = collection.query(
                    query_embeddings=vector[None, :], n_results=min(limit, held), include=["distances"]
                )
            except NotFoundError:  # its last article went meanwhile
                continue
            distances = (result["distances"] or [[]])[0]
            found += [
                Near(int(key.partition(":")[0]), 1.0 - distance)
                for key, distance in zip(result["ids"][0], distances, strict=True)
            ]
        return nearest(found, limit)

    def synchronise(self, wanted: Mapping[str, NDArray[np.int64]], fetch: FetchVectors) -> None:
        for access_set, ids in wanted.items():
            self._synchronise(access_set, {int(passage) for passage in ids}, fetch)
        for access_set in [known for known in self._collections if known not in wanted]:
            del self._collections[access_set]
            del self._held[access_set]
            self._client.delete_collection(self._name(access_set))

    def _synchronise(self, access_set: str, wanted: set[int], fetch: FetchVectors) -> None:
        collection = self._collections.get(access_set)
        if collection is None:
            collection = self._client.create_collection(
                self._name(access_set),
                configuration={"hnsw": {"space": "cosine"}},
                embedding_function=None,
                get_or_create=True,
            )
            self._held[access_set] = set()
            self._collections[access_set] = collection
        held = self._held[access_set]
        surplus = [key for key in held if int(key.partition(":")[0]) not in wanted]
        present = {int(key.partition(":")[0]) for key in held if key.endswith(":0")}
        new = sorted(wanted - present)
        # New before old: a changed article is found by its old passages until its new ones are there.
        for start in range(0, len(new), BATCH):
            vectors = fetch(new[start : start + BATCH])
            # Window 0 is written last of a passage, so that one cut short by a crash is written again.
            keys = [f"{passage}:{window}" for passage, rows in vectors.items() for window in reversed(range(len(rows)))]
            if keys:
                rows = np.concatenate([rows[::-1] for rows in vectors.values()])
                for part in range(0, len(keys), BATCH):
                    collection.upsert(ids=keys[part : part + BATCH], embeddings=rows[part : part + BATCH])
                held.update(keys)
        for start in range(0, len(surplus), BATCH):
            collection.delete(ids=surplus[start : start + BATCH])
        held.difference_update(surplus)

    def close(self) -> None:
        self._collections = {}
        self._client.close()
        self._lock.release()
