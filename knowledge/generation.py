"""An index generation as this process sees it: all passages of one model and chunker version, ready to be searched."""

from collections.abc import Sequence
from threading import RLock

from sqlalchemy import select

from knowledge.catalogue import Catalogue, catalogue_after, vectors_of
from knowledge.chunking import CHUNKER_VERSION
from knowledge.embedder import Embedder
from knowledge.errors import OtherModel
from knowledge.exact_index import ExactIndex
from knowledge.records import Passage
from knowledge.settings import KnowledgeSettings
from knowledge.vectors import VectorIndex, Vectors
from store import Database


def name_of(embedder: Embedder) -> str:
    return f"{embedder.name}.c{CHUNKER_VERSION}"


class Generation:
    """The vector index and the catalogue beside it, kept in step with SQL. Safe to share between threads; opening it
    costs nothing, the first use does."""

    def __init__(self, database: Database, settings: KnowledgeSettings, name: str, dimension: int) -> None:
        self.name = name
        self._database = database
        self._settings = settings
        self._dimension = dimension
        self._refreshing = RLock()
        self._index: VectorIndex | None = None
        self._catalogue = Catalogue()

    @property
    def catalogue(self) -> Catalogue:
        """As of the last refresh; the first use is one. Errors: those of `index`."""
        if self._catalogue.change < 0:
            self.refresh()
        return self._catalogue

    @property
    def index(self) -> VectorIndex:
        """Errors: `OtherModel` when everything stored was embedded with another model or chunker version."""
        with self._refreshing:
            if self._index is None:
                self._refuse_other_model()
                from knowledge.chroma_index import ChromaIndex, FolderTaken

                try:
                    self._index = ChromaIndex(self._settings.index_folder, self.name)
                except FolderTaken:
                    self._index = ExactIndex(self._dimension)
            return self._index

    @property
    def owns_index(self) -> bool:
        """Whether this process has the index folder; False before the first use."""
        return self._index is not None and not isinstance(self._index, ExactIndex)

    def refresh(self) -> bool:
        """Apply what was committed to SQL since; True when there was something."""
        with self._refreshing:
            index = self.index
            with self._database.reading() as session:
                catalogue = catalogue_after(session, self.name, self._catalogue)
            if catalogue is self._catalogue:
                return False
            index.synchronise(catalogue.passages, self._fetch)
            self._catalogue = catalogue
            return True

    def close(self) -> None:
        """Let go of the index folder."""
        with self._refreshing:
            if self._index is not None:
                self._index.close()
            self._index, self._catalogue = None, Catalogue()

    def _refuse_other_model(self) -> None:
        """Passages of several generations are a re-ingestion under way; only of others, they can't be searched."""
        with self._database.reading() as session:
            stored = set(session.execute(select(Passage.generation).distinct()).scalars())
        if stored and self.name not in stored:
            raise OtherModel(
                f"The knowledge base was embedded with {sorted(stored)[0]}, but {self.name} is configured."
                f" Set DESKMATE_EMBEDDER back, or delete the folder {self._settings.index_folder}"
                " and run `deskmate ingest`, which embeds the articles anew."
            )

    def _fetch(self, passages: Sequence[int]) -> dict[int, Vectors]:
        with self._database.reading() as session:
            return vectors_of(session, passages, self._dimension)
