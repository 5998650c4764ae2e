"""Chroma, one collection per access set: as a filter, permissions would make a query a hundred times slower."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from knowledge.chroma_places import CollectionGone, Place
from knowledge.vectors import UNMARKED, Difference, FetchVectors, Held, Ids, Mark, Near, Vectors, nearest, rows_for

BATCH = 500  # vectors in one call
PROBED = 8  # windows of a passage looked for at once
LISTED = 1_000  # collections in one call
EVERYBODY = "everybody"


class ChromaIndex:
    def __init__(self, place: Place, generation: str) -> None:
        self._place = place
        self._generation = slug_of(generation)
        self._base = ""
        self._collections: dict[str, Any] = {}

    @property
    def _prefix(self) -> str:
        """Knowledge bases may share a server."""
        return f"{self._generation}__{self._base or 'new'}__"

    def search(self, vector: Vectors, access_sets: Sequence[str], limit: int) -> list[Near]:
        if self._place.is_empty():
            return []
        with self._place.trouble():
            return nearest([near for key in access_sets for near in self._search(vector, key, rows_for(limit))], limit)

    def _search(self, vector: Vectors, access_set: str, rows: int) -> list[Near]:
        for _ in range(2):
            try:
                collection = self._collection(access_set)
                with self._place.trouble():
                    found = collection.query(query_embeddings=vector[None, :], n_results=rows, include=["distances"])
            except CollectionGone:  # its last passage went, or another process made it anew
                self._collections.pop(access_set, None)
                continue
            hits = zip(found["ids"][0], found["distances"][0], strict=True)
            return [Near(passage_of(key), 1.0 - distance) for key, distance in hits]
        return []

    def synchronise(
        self, wanted: Mapping[str, Ids], fetch: FetchVectors, mark: Mark = UNMARKED, *, thorough: bool = False
    ) -> None:
        wanted = {access_set: ids for access_set, ids in wanted.items() if len(ids)}
        with self._place.trouble():
            self._belongs_to(mark)
            if mark and not thorough and self._place.mark(self._prefix) == mark and self._has(set(wanted)):
                return
            stored = self._stored()
            self._place.set_mark(self._prefix, UNMARKED)
            surplus: dict[str, list[str]] = {}
            for access_set, ids in wanted.items():
                held = self._made(access_set).get(include=[])["ids"]
                present = {passage_of(key) for key in held if key.endswith(":0")}
                new = ids.tolist() if thorough else [passage for passage in ids.tolist() if passage not in present]
                self._add(access_set, new, fetch, replacing=thorough)
                kept = set(ids.tolist())
                surplus[access_set] = [key for key in held if passage_of(key) not in kept]
            for access_set, keys in surplus.items():
                self._remove(access_set, keys)
            for access_set in stored - set(wanted):
                self._drop(access_set)
            self._drop_what_another_knowledge_base_left()
            self._place.set_mark(self._prefix, mark)

    def apply(self, changes: Mapping[str, Difference], fetch: FetchVectors, *, since: Mark, mark: Mark) -> bool:
        with self._place.trouble():
            self._belongs_to(mark)
            carried = self._place.mark(self._prefix)
            if not mark or carried not in (since, mark):
                return False
            if carried == mark:  # another process was quicker
                return True
            if changes:
                self._place.set_mark(self._prefix, UNMARKED)
            # New before old, in all sets: what changes or moves is found where it was until it is where it will be.
            for access_set, difference in changes.items():
                if len(difference.added):
                    self._made(access_set)
                    self._add(access_set, difference.added.tolist(), fetch, replacing=True)
            for access_set, difference in changes.items():
                if len(difference.removed):
                    self._take_out(access_set, difference.removed.tolist())
            self._place.set_mark(self._prefix, mark)
            return True

    def held(self) -> Iterator[Held]:
        with self._place.trouble():
            for access_set in sorted(self._stored()):
                collection = self._collection(access_set)
                for start in range(0, collection.count(), BATCH):
                    found = collection.get(include=["embeddings"], limit=BATCH, offset=start)
                    keys = np.array([key.split(":") for key in found["ids"]], dtype=np.int64).reshape(-1, 2)
                    yield Held(access_set, keys[:, 0], keys[:, 1], np.asarray(found["embeddings"], dtype=np.float32))

    def close(self) -> None:
        self._collections = {}
        self._place.close()

    def _belongs_to(self, mark: Mark) -> None:
        if mark.base != self._base:
            self._collections = {}
            self._base = mark.base

    def _name(self, access_set: str) -> str:
        return self._prefix + (access_set or EVERYBODY)

    def _has(self, access_sets: set[str]) -> bool:
        """Whether these sets have collections and no others; a folder of ours isn't opened to know it."""
        if self._place.is_ours:
            return not access_sets or not self._place.is_empty()
        return self._stored() == access_sets

    def _stored(self) -> set[str]:
        """The access sets that have a collection."""
        if self._place.is_empty():
            return set()
        ours = {name.removeprefix(self._prefix) for name in names_at(self._place) if name.startswith(self._prefix)}
        return {"" if name == EVERYBODY else name for name in ours - {"mark"}}

    def _drop_what_another_knowledge_base_left(self) -> None:
        if self._place.is_ours and not self._place.is_empty():
            for name in names_at(self._place):
                if name.startswith(f"{self._generation}__") and not name.startswith(self._prefix):
                    self._place.client().delete_collection(name)

    def _collection(self, access_set: str) -> Any:
        known = self._collections.get(access_set)
        if known is None:
            client = self._place.client()
            with self._place.trouble():
                known = client.get_collection(self._name(access_set), embedding_function=None)
            self._collections[access_set] = known
        return known

    def _made(self, access_set: str) -> Any:
        made: Any = self._place.client().get_or_create_collection(
            self._name(access_set), configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
        )
        self._collections[access_set] = made
        return made

    def _drop(self, access_set: str) -> None:
        self._collections.pop(access_set, None)
        self._place.client().delete_collection(self._name(access_set))

    def _add(self, access_set: str, passages: Sequence[int], fetch: FetchVectors, *, replacing: bool) -> None:
        collection = self._collections[access_set]
        for start in range(0, len(passages), BATCH):
            some = passages[start : start + BATCH]
            vectors = fetch(some)
            # Window 0 is written last of a passage, so that one cut short by a crash is written again.
            keys = [f"{passage}:{window}" for passage, rows in vectors.items() for window in reversed(range(len(rows)))]
            if keys:
                rows = np.concatenate([rows[::-1] for rows in vectors.values()])
                for part in range(0, len(keys), BATCH):
                    collection.upsert(ids=keys[part : part + BATCH], embeddings=rows[part : part + BATCH])
            if replacing:
                self._remove(access_set, sorted(set(self._keys(access_set, some)) - set(keys)))

    def _take_out(self, access_set: str, passages: Sequence[int]) -> None:
        try:
            collection = self._collection(access_set)
        except CollectionGone:
            return
        self._remove(access_set, self._keys(access_set, passages))
        if not collection.count():
            self._drop(access_set)

    def _keys(self, access_set: str, passages: Sequence[int]) -> list[str]:
        """Those held of these passages."""
        found: list[str] = []
        first = 0
        asked = list(passages)
        while asked:
            keys = [f"{passage}:{window}" for passage in asked for window in range(first, first + PROBED)]
            there: set[str] = set()
            for start in range(0, len(keys), BATCH):
                there.update(self._collections[access_set].get(ids=keys[start : start + BATCH], include=[])["ids"])
            found += sorted(there)
            first += PROBED
            asked = [passage for passage in asked if f"{passage}:{first - 1}" in there]
        return found

    def _remove(self, access_set: str, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), BATCH):
            self._collections[access_set].delete(ids=list(keys[start : start + BATCH]))


def drop_all_but(place: Place, generations: Collection[str], base: str) -> int:
    """The collections of all other generations of a knowledge base, or of a folder of ours; how many there were."""
    if place.is_empty():
        return 0
    kept = {slug_of(generation) for generation in generations}
    with place.trouble():
        surplus = [
            name
            for name in names_at(place)
            if name.count("__") == 2
            and name.split("__")[0] not in kept
            and (place.is_ours or name.split("__")[1] == base)
        ]
        for name in surplus:
            place.client().delete_collection(name)
    return len(surplus)


def names_at(place: Place) -> list[str]:
    """Of all collections, whoever has made them."""
    names: list[str] = []
    while page := place.client().list_collections(limit=LISTED, offset=len(names)):
        names += [collection.name for collection in page]
    return names


def slug_of(generation: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "-", generation)


def passage_of(key: str) -> int:
    return int(key.partition(":")[0])
