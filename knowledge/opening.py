"""Which vector index the settings ask for."""

from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.exact_index import ExactIndex
from knowledge.settings import KnowledgeSettings
from knowledge.tiered_index import TieredIndex
from knowledge.vectors import VectorIndex
from store import Database

if TYPE_CHECKING:
    from knowledge.chroma_places import ChromaServer


def open_index(database: Database, settings: KnowledgeSettings, generation: str, dimension: int) -> VectorIndex:
    """Errors: `OtherModel`, `UnsupportedIndex`, `IndexUnreachable`."""
    if settings.index == "pgvector":
        from knowledge.pgvector_index import PgvectorIndex

        return TieredIndex(PgvectorIndex(database, generation, dimension), dimension)
    if settings.chroma_server:
        from knowledge.chroma_index import ChromaIndex

        return TieredIndex(ChromaIndex(chroma_server(settings), generation), dimension)
    embedded = embedded_chroma(settings.index_folder, generation)
    return TieredIndex(embedded, dimension) if embedded else ExactIndex(dimension)


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


def embedded_chroma(path: Path, generation: str) -> VectorIndex | None:
    """None when another process owns the folder."""
    from knowledge.chroma_index import ChromaIndex
    from knowledge.chroma_places import EmbeddedChroma
    from knowledge.index_folder import FolderTaken, IndexFolder

    try:
        folder = IndexFolder(path)
    except FolderTaken:
        return None
    try:
        return ChromaIndex(EmbeddedChroma(folder, generation), generation)
    except BaseException:  # whatever it was, the folder must be free for the next
        folder.close()
        raise
