"""Which vector index the settings ask for."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from knowledge.errors import IndexInUse
from knowledge.exact_index import ExactIndex
from knowledge.index_folder import FolderKeeper, FolderTaken, IndexFolder
from knowledge.settings import KnowledgeSettings
from knowledge.tiered_index import TieredIndex
from knowledge.vectors import VectorIndex
from store import Database

if TYPE_CHECKING:
    from knowledge.chroma_places import ChromaServer


def open_index(
    database: Database, settings: KnowledgeSettings, generation: str, dimension: int, folders: FolderKeeper
) -> VectorIndex:
    """Errors: `UnsupportedIndex`, `IndexUnreachable`."""
    if settings.index == "pgvector":
        from knowledge.pgvector_index import PgvectorIndex

        return TieredIndex(PgvectorIndex(database, generation, dimension), dimension)
    if settings.chroma_server:
        from knowledge.chroma_index import ChromaIndex

        return TieredIndex(ChromaIndex(chroma_server(settings), generation), dimension)
    embedded = embedded_chroma(folders, generation)
    return TieredIndex(embedded, dimension) if embedded else ExactIndex(dimension)


def drop_all_but(database: Database, settings: KnowledgeSettings, generations: Collection[str], base: str) -> int:
    """What the index keeps of other generations; how many collections or tables were dropped.

    Errors: `IndexInUse` when another process has the index folder, `UnsupportedIndex`, `IndexUnreachable`.
    """
    if settings.index == "pgvector":
        from knowledge import pgvector_index

        return pgvector_index.drop_all_but(database, generations)
    from knowledge import chroma_index
    from knowledge.chroma_places import EmbeddedChroma

    if settings.chroma_server:
        server = chroma_server(settings)
        try:
            return chroma_index.drop_all_but(server, generations, base)
        finally:
            server.close()
    try:
        folder = IndexFolder(settings.index_folder)
    except FolderTaken as error:
        raise IndexInUse(
            f"Another process, perhaps a running bot, has the index folder {settings.index_folder}:"
            " stop it and run this again to free the space there."
        ) from error
    place = EmbeddedChroma(folder, "")
    try:
        dropped = chroma_index.drop_all_but(place, generations, base)
        for generation in folder.marks().keys() - set(generations):
            folder.forget(generation)
        return dropped
    finally:
        place.close()


def index_found(database: Database, settings: KnowledgeSettings) -> str:
    """What keeps the vectors, in words; nothing is changed. Errors: `UnsupportedIndex`, `IndexUnreachable`."""
    if settings.index == "pgvector":
        from knowledge.pgvector_index import installed_version

        return f"pgvector {installed_version(database)}, beside the articles"
    if not settings.chroma_server:
        return f"Chroma embedded, in {settings.index_folder}"
    server = chroma_server(settings)
    server.close()
    return f"Chroma server at {server.shown}"


def chroma_server(settings: KnowledgeSettings) -> "ChromaServer":
    from knowledge.chroma_places import ChromaServer

    token = settings.chroma_token.get_secret_value() if settings.chroma_token else None
    return ChromaServer(settings.chroma_server, token)


def embedded_chroma(folders: FolderKeeper, generation: str) -> VectorIndex | None:
    """None when another process owns the folder."""
    from knowledge.chroma_index import ChromaIndex
    from knowledge.chroma_places import EmbeddedChroma

    try:
        folder = folders.open()
    except FolderTaken:
        return None
    try:
        return ChromaIndex(EmbeddedChroma(folder, generation), generation)
    except BaseException:  # whatever it was, the folder must be free for the next
        folder.close()
        raise
