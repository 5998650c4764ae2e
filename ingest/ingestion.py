"""Folders and files into the knowledge base, each file once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ingest import file, records
from ingest.article import Article
from ingest.errors import AccessUnclear, IngestError
from ingest.progress import Progress, Silent
from ingest.records import Cursor
from ingest.report import Report
from ingest.roots import Root, find_roots, is_text
from knowledge.chunking import CHUNKER_VERSION
from knowledge.library import Document, Library
from store import Database


def ingest(paths: Sequence[str], *, library: Library, database: Database, progress: Progress | None = None) -> Report:
    """Take in the articles under these folders, and these files.

    An unchanged file isn't read into an article again. An article whose file has vanished from a folder that is
    ingested as a whole is removed; a single file removes nothing but what it held before. A file that fails keeps
    its last good version, unless it can't be told who may see it: then its article is taken back. Nothing of this
    raises; it is in the report. Raises `KnowledgeError` when the knowledge base itself can't work.
    """
    report = Report()
    for root in find_roots(list(paths), database, report):
        Ingestion(root, library, database, progress or Silent(), report).run()
    return report


@dataclass
class Ingestion:
    """One run over one root."""

    root: Root
    library: Library
    database: Database
    progress: Progress
    report: Report
    before: dict[str, Cursor] = field(default_factory=dict)  # what earlier runs took in, by path
    cursors: dict[str, Cursor] = field(default_factory=dict)  # what is in after this run, by path
    claimed: dict[str, str] = field(default_factory=dict)  # whose an article id is, as a path
    failed: int = 0

    def run(self) -> None:
        with self.database.reading() as session:
            self.before = records.cursors(session, self.root.source)
            published = records.published(session, self.root.source)
        todo = self._files_to_read(published)
        if todo:
            self.progress.start(len(todo))
            added = self.library.add(
                self._documents(todo), progress=lambda so_far: self.progress.advance(so_far.articles + self.failed)
            )
            self.report.added += len(added.added)
            self.report.changed += len(added.changed)
            self.report.unchanged += len(added.unchanged)
            published |= {*added.added, *added.changed, *added.unchanged}
        for folder, reason in self.root.listing.unreadable.items():
            self.report.fail(self.root.name(folder), f"the folder can't be read: {reason}")
        self._remove(published)
        with self.database.transaction() as session:
            records.forget(session, self.root.source, self.before.keys() - self.cursors.keys())
            records.remember(session, (self.cursors[path] for path in todo if path in self.cursors))

    @property
    def _made_by(self) -> str:
        return f"{file.READER}.{CHUNKER_VERSION}.{self.library.settings.embedder}"

    def _files_to_read(self, published: set[str]) -> list[str]:
        """Known files before new ones, so that a newcomer can't take an article's id; the rest counts as unchanged."""
        todo: list[str] = []
        for path in self.root.listing.files:
            cursor = self.before.get(path)
            if cursor is not None and cursor.article_id in published and self._is_unchanged(path, cursor):
                self._keep(path, cursor)
                self.report.unchanged += 1
            else:
                todo.append(path)
        listed = set(self.root.listing.files)
        for path, cursor in self.before.items():
            if path not in listed and self._may_still_be_there(path):
                self._keep(path, cursor)
        return sorted(todo, key=lambda path: (path not in self.before, path))

    def _is_unchanged(self, path: str, cursor: Cursor) -> bool:
        if cursor.made_by != self._made_by:
            return False
        try:
            return file.content_hash(file.load(self.root.path / path)) == cursor.content_hash
        except IngestError:
            return False  # it is reported when it is read

    def _may_still_be_there(self, path: str) -> bool:
        """Of a known file that isn't listed: whether that says nothing about it."""
        if self.root.whole:
            return self.root.listing.hides(path)
        return (self.root.path / path).exists()

    def _keep(self, path: str, cursor: Cursor) -> None:
        self.cursors[path] = cursor
        self.claimed.setdefault(cursor.article_id, path)

    def _documents(self, todo: Sequence[str]) -> Iterator[Document]:
        for path in todo:
            try:
                yield self._document(path)
            except IngestError as error:
                self.failed += 1
                self.report.fail(self.root.name(path), self._after_failure(path, error))

    def _document(self, path: str) -> Document:
        if not is_text(path):
            raise IngestError("its name holds bytes that are no text")
        raw = file.load(self.root.path / path)
        article = file.parse(raw, name=path)
        document = as_document(article, path, source=self.root.source, content_hash=file.content_hash(raw))
        owner = self.claimed.setdefault(document.article_id, path)
        if owner != path:
            raise IngestError(f"its id `{document.article_id}` is that of {self.root.name(owner)} already")
        self.cursors[path] = Cursor(
            source=document.source,
            path=path,
            content_hash=document.content_hash,
            article_id=document.article_id,
            made_by=self._made_by,
        )
        return document

    def _after_failure(self, path: str, error: IngestError) -> str:
        """Keep what was known of the file, or take it back; the error with what that means."""
        cursor = self.before.get(path)
        if cursor is None or self.claimed.get(cursor.article_id, path) != path:
            return str(error)
        if isinstance(error, AccessUnclear):
            return f"{error} (the article is taken back until this is mended)"
        # The old hash stays in the cursor, so that the file is tried again each time.
        self._keep(path, cursor)
        return f"{error} (its last good version stays)"

    def _remove(self, published: set[str]) -> None:
        """Take back the articles of this source that no file stands for any more."""
        keep = {cursor.article_id for cursor in self.cursors.values()}
        if not self.root.whole:
            # Articles of files that this run didn't look at are none of its business.
            keep |= published - {cursor.article_id for cursor in self.before.values()}
        if published - keep:
            self.report.removed += len(self.library.retire(self.root.source, keep))


def as_document(article: Article, path: str, *, source: str, content_hash: str) -> Document:
    return Document(
        article_id=article.article_id or str(PurePosixPath(path).with_suffix("")),
        title=article.title,
        markdown=article.markdown,
        url=article.url,
        access=article.access,
        owner=article.owner,
        description=article.description,
        source=source,
        content_hash=content_hash,
        updated_at=article.updated_at,
    )
