"""An index generation as this process sees it: all passages of one model and chunker version, ready to be searched."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import RLock

import numpy as np
from sqlalchemy import func, select

from knowledge.articles import base_of
from knowledge.catalogue import Catalogue, catalogue_after, vectors_of
from knowledge.chunking import CHUNKER_VERSION
from knowledge.comparing import Differences, differences, windows_of
from knowledge.contrast import Contrast, contrast_of
from knowledge.embedder import Embedder
from knowledge.errors import IndexInUse, IndexUnreachable
from knowledge.exact_index import ExactIndex
from knowledge.index_folder import FolderKeeper
from knowledge.one_writer import one_writer
from knowledge.opening import open_index
from knowledge.records import Passage
from knowledge.settings import KnowledgeSettings
from knowledge.vectors import UNMARKED, Difference, Mark, VectorIndex, Vectors
from store import Database

log = logging.getLogger(__name__)

MOST_CONTRASTS = 64  # kept, each 50 kB
MOST_OF_A_BRIEF_PROCESS = 50_000  # passages, by the highest id: to read them all is quicker than to open Chroma


def changes_of(catalogue: Catalogue) -> dict[str, Difference]:
    """By access set, since the catalogue that this one was made from."""
    none = np.zeros(0, dtype=np.int64)
    return {
        key: Difference(catalogue.added.get(key, none), catalogue.removed.get(key, none))
        for key in catalogue.added.keys() | catalogue.removed.keys()
    }


def name_of(embedder: Embedder) -> str:
    return f"{embedder.name}.c{CHUNKER_VERSION}"


class Generation:
    """The vector index and the catalogue beside it, kept in step with SQL. Safe to share between threads; opening it
    costs nothing, the first use does."""

    def __init__(
        self,
        database: Database,
        settings: KnowledgeSettings,
        name: str,
        dimension: int,
        folders: FolderKeeper,
        *,
        brief: bool = False,
    ) -> None:
        self.name = name
        self._folders = folders
        self._brief = brief
        self._database = database
        self._settings = settings
        self._dimension = dimension
        self._refreshing = RLock()
        self._index: VectorIndex | None = None
        self._catalogue = Catalogue()
        self._mark = UNMARKED  # of the catalogue, if the index is in step with it
        self._told = False
        self._contrasts: dict[tuple[int, tuple[str, ...]], Contrast] = {}

    @property
    def catalogue(self) -> Catalogue:
        """As of the last refresh; the first use is one. Errors: those of `index`."""
        if self._catalogue.change < 0:
            self.refresh()
        return self._catalogue

    @property
    def index(self) -> VectorIndex:
        """Errors: `UnsupportedIndex`, `IndexUnreachable`."""
        with self._refreshing:
            if self._index is None:
                if self._brief and self._fits_in_memory():
                    self._index = ExactIndex(self._dimension)
                else:
                    self._index = open_index(self._database, self._settings, self.name, self._dimension, self._folders)
            return self._index

    @property
    def owns_index(self) -> bool:
        """Whether this process writes the index; False before the first use."""
        return self._index is not None and not isinstance(self._index, ExactIndex)

    def contrast(self, catalogue: Catalogue, access_sets: Sequence[str]) -> Contrast:
        """Among what these access sets hold, and by nothing else. The first question after a change, from whoever may
        search another combination of them, takes some 50 ms to make it."""
        key = (catalogue.change, tuple(access_sets))
        known = self._contrasts.get(key)
        if known is None:
            passages = [catalogue.sparse[each].ids for each in access_sets if each in catalogue.sparse]
            known = contrast_of(passages, self._fetch, self._dimension)
            if len(self._contrasts) >= MOST_CONTRASTS:
                self._contrasts = {}
            self._contrasts[key] = known
        return known

    def refresh(self) -> bool:
        """Apply what was committed to SQL since; True when there was something.

        An index on a server that doesn't answer is brought into step by a later call; only the first one raises
        `IndexUnreachable`.
        """
        with self._refreshing:
            index = self.index
            with self._writing(wait=self._catalogue.change < 0) as ours:
                if not ours:
                    return False
                with self._database.reading() as session:
                    catalogue = catalogue_after(session, self.name, self._catalogue)
                    mark = Mark(base_of(session), catalogue.change)
                if catalogue is self._catalogue and self._mark == mark:
                    return False
                try:
                    self._bring(index, catalogue, mark)
                    self._mark, self._told = mark, False
                except IndexUnreachable as error:
                    if self._catalogue.change < 0:
                        raise
                    if not self._told:
                        log.warning("%s Changes of articles reach it later.", error)
                    self._mark, self._told = UNMARKED, True
                moved = catalogue is not self._catalogue
                self._catalogue, self._contrasts = catalogue, {}
                return moved

    def _bring(self, index: VectorIndex, catalogue: Catalogue, mark: Mark) -> None:
        """What changed, if that is known to be enough; everything is compared otherwise."""
        if self._mark and index.apply(changes_of(catalogue), self._fetch, since=self._mark, mark=mark):
            return
        index.synchronise(catalogue.passages, self._fetch, mark)

    @contextmanager
    def _writing(self, *, wait: bool) -> Iterator[bool]:
        """What is read from SQL inside is at least as new as what any other process has written to the index."""
        if not self._settings.index_is_shared:
            yield True
            return
        with one_writer(self._database, self._settings.home, self.name, wait=wait) as ours:
            yield ours

    def compare(self, *, mend: bool) -> Differences:
        """The index with SQL, vector by vector; with `mend`, what differs is written anew.

        Errors: `IndexInUse` when another process has the index folder; those of `index`.
        """
        with self._refreshing:
            index = self.index
            if not self.owns_index:
                raise IndexInUse(
                    f"Another process, perhaps a running bot, has the index folder {self._settings.index_folder}:"
                    " stop it, and run this again."
                )
            self.refresh()
            with self._writing(wait=True):
                with self._database.reading() as session:
                    catalogue = catalogue_after(session, self.name, self._catalogue)
                    mark = Mark(base_of(session), catalogue.change)
                    windows = windows_of(session, self.name, self._dimension)
                found = differences(windows, index.held(), self._fetch)
                if mend and found.count:
                    index.synchronise(catalogue.passages, self._fetch, mark, thorough=True)
                    self._catalogue, self._mark = catalogue, mark
                return found

    def close(self) -> None:
        """Let go of the index folder."""
        with self._refreshing:
            if self._index is not None:
                self._index.close()
            self._index, self._catalogue, self._mark = None, Catalogue(), UNMARKED
            self._contrasts = {}

    def _fits_in_memory(self) -> bool:
        if self._settings.index_is_shared:
            return False
        with self._database.reading() as session:
            return (session.execute(select(func.max(Passage.id))).scalar() or 0) <= MOST_OF_A_BRIEF_PROCESS

    def _fetch(self, passages: Sequence[int]) -> dict[int, Vectors]:
        with self._database.reading() as session:
            return vectors_of(session, passages, self._dimension)
