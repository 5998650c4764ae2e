"""Documents into the knowledge base: chunk, embed what is new, commit in small groups."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from knowledge.access import is_well_formed
from knowledge.articles import Document, PreparedPassage, known, next_change, put, vectors_by_hash
from knowledge.catalogue import IN_ONE_QUERY
from knowledge.chunking import Chunk, chunks_of
from knowledge.embedder import Embedder, Vectors
from knowledge.errors import KnowledgeError
from knowledge.generations import refuse_unless_in_use
from knowledge.sparse import Words
from knowledge.titles import keep, lacking
from store import Database

LOOKED_UP_TOGETHER = 100  # documents
COMMITTED_TOGETHER = 64  # windows to embed: about two seconds of work that a crash may cost


@dataclass(frozen=True)
class Added:
    """Article ids by what became of each document."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """After each committed group of articles: totals so far."""

    articles: int
    passages: int
    embedded: int  # of these passages, those that weren't known already


@dataclass
class Adding:
    """One run over the documents of a source."""

    database: Database
    embedder: Embedder
    words: Words
    generation: str
    now: Callable[[], datetime]
    progress: Callable[[Progress], None] | None
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    passages: int = 0
    embedded: int = 0

    def run(self, documents: Iterable[Document]) -> Added:
        group: list[tuple[Document, list[Chunk]]] = []
        size = 0
        for document in self._changed(documents):
            chunks = chunks_of(document, self.embedder)
            group.append((document, chunks))
            size += sum(len(chunk.windows) for chunk in chunks)
            if size >= COMMITTED_TOGETHER:
                self._commit(group)
                group, size = [], 0
        if group:
            self._commit(group)
        elif self.progress:
            self._report()
        return Added(tuple(self.added), tuple(self.changed), tuple(self.unchanged))

    def _changed(self, documents: Iterable[Document]) -> Iterator[Document]:
        for some in in_groups(documents, LOOKED_UP_TOGETHER):
            for document in some:
                if not is_well_formed(document.access):
                    raise KnowledgeError(f"{document.article_id}: access must be a list of group names")
            there: dict[tuple[str, str], str] = {}
            with self.database.reading() as session:
                for source in {document.source for document in some}:
                    ids = [document.article_id for document in some if document.source == source]
                    found = known(session, source, ids, generation=self.generation)
                    there |= {(source, key): fingerprint for key, fingerprint in found.items()}
            for document in some:
                if there.get((document.source, document.article_id)) == document.fingerprint:
                    self.unchanged.append(document.article_id)
                else:
                    yield document

    def _commit(self, group: Sequence[tuple[Document, list[Chunk]]]) -> None:
        prepared = self.prepared(group)
        titles = self.titles([document for document, _ in group])
        with self.database.transaction() as session:
            change = next_change(session)
            refuse_unless_in_use(session, self.generation)
            keep(session, self.generation, titles)
            for document, passages in prepared:
                is_new = put(session, document, passages, generation=self.generation, change=change, now=self.now())
                (self.added if is_new else self.changed).append(document.article_id)
                self.passages += len(passages)
        self._report()

    def prepared(self, group: Sequence[tuple[Document, list[Chunk]]]) -> list[tuple[Document, list[PreparedPassage]]]:
        """What is new of a group is embedded here, outside any transaction."""
        vectors = self._vectors([chunk for _, chunks in group for chunk in chunks])
        return [(document, [self._prepare(document, chunk, vectors) for chunk in chunks]) for document, chunks in group]

    def titles(self, documents: Sequence[Document]) -> dict[str, Vectors]:
        """The vectors of those titles that aren't embedded yet."""
        return lacking(self.database, self.generation, self.embedder, {document.title for document in documents})

    def _report(self) -> None:
        if self.progress:
            articles = len(self.added) + len(self.changed) + len(self.unchanged)
            self.progress(Progress(articles, self.passages, self.embedded))

    def _vectors(self, chunks: Sequence[Chunk]) -> dict[str, bytes]:
        """By text hash."""
        by_hash = {chunk.text_hash: chunk for chunk in chunks}
        hashes = list(by_hash)
        found: dict[str, bytes] = {}
        with self.database.reading() as session:
            for start in range(0, len(hashes), IN_ONE_QUERY):
                found |= vectors_by_hash(session, self.generation, hashes[start : start + IN_ONE_QUERY])
        new = [chunk for text_hash, chunk in by_hash.items() if text_hash not in found]
        rows: Vectors = self.embedder.encode([window for chunk in new for window in chunk.windows])
        start = 0
        for chunk in new:
            end = start + len(chunk.windows)
            found[chunk.text_hash] = rows[start:end].astype("<f4").tobytes()
            start = end
        self.embedded += len(new)
        return found

    def _prepare(self, document: Document, chunk: Chunk, vectors: dict[str, bytes]) -> PreparedPassage:
        terms = self.words.terms_of(
            title=document.title, description=document.description, headings=chunk.headings, text=chunk.said
        )
        return PreparedPassage(
            text=chunk.text,
            kind=chunk.kind,
            headings=chunk.headings,
            section=chunk.section,
            steps=chunk.steps,
            text_hash=chunk.text_hash,
            vectors=vectors[chunk.text_hash],
            terms=terms,
        )


def in_groups(documents: Iterable[Document], size: int) -> Iterator[list[Document]]:
    group: list[Document] = []
    for document in documents:
        group.append(document)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
