"""Where Chroma keeps collections: in a folder of this process, or on a server. The one file that imports chromadb."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import RLock
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

from knowledge.errors import IndexUnreachable, UnsupportedIndex
from knowledge.index_folder import IndexFolder
from knowledge.vectors import UNMARKED, Mark

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 20.0


class CollectionGone(Exception):
    """It isn't there: never was, or its last passage went."""


class Place(Protocol):
    """Where collections are, and the marks beside them."""

    is_ours: bool  # and nobody else keeps collections there

    def client(self) -> Any: ...

    def is_empty(self) -> bool:
        """True if there is certainly no collection, told without a client."""

    def mark(self, prefix: str) -> Mark: ...

    def set_mark(self, prefix: str, mark: Mark) -> None: ...

    def trouble(self) -> AbstractContextManager[None]:
        """Turns what goes wrong at the place into `CollectionGone` and `IndexUnreachable`."""

    def close(self) -> None: ...


class EmbeddedChroma:
    """In a folder that this process owns. chromadb is imported, and costs memory, when there is a collection."""

    is_ours = True

    def __init__(self, folder: IndexFolder, generation: str) -> None:
        self._folder = folder
        self._generation = generation
        self._opening = RLock()
        self._client: Any = None

    def client(self) -> Any:
        with self._opening:
            if self._client is None:
                import chromadb
                from chromadb.config import Settings

                settings = Settings(anonymized_telemetry=False)
                self._client = chromadb.PersistentClient(path=str(self._folder.path), settings=settings)
            return self._client

    def is_empty(self) -> bool:
        return self._client is None and not (self._folder.path / "chroma.sqlite3").exists()

    def mark(self, prefix: str) -> Mark:
        return self._folder.mark(self._generation)

    def set_mark(self, prefix: str, mark: Mark) -> None:
        self._folder.set_mark(self._generation, mark)

    @contextmanager
    def trouble(self) -> Iterator[None]:
        if self._client is None:
            yield  # importing chromadb takes a second, and nothing of it can go wrong yet
            return
        from chromadb.errors import NotFoundError

        try:
            yield
        except NotFoundError as error:
            raise CollectionGone from error

    def close(self) -> None:
        if self._client is not None:
            self._client.close()  # else this process goes on with the folder's old state after it is deleted
        self._folder.close()


class ChromaServer:
    """Reached by a URL, `http://[user:password@]host[:port]`; what is secret in it goes into a header only."""

    is_ours = False

    def __init__(self, url: str, token: str | None = None) -> None:
        """Raises `IndexUnreachable` when it doesn't answer, `UnsupportedIndex` for an address that is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UnsupportedIndex("DESKMATE_CHROMA_URL must look like http://host:8000 or https://host.")
        host = parts.netloc.rpartition("@")[2]
        self.shown = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        headers = {}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        elif token:
            headers = {"Authorization": f"Bearer {token}", "X-Chroma-Token": token}
        with self.trouble():
            self._client = self._connect(headers, secure=parts.scheme == "https")

    def _connect(self, headers: dict[str, str], *, secure: bool) -> Any:
        import chromadb
        import httpx
        from chromadb.config import Settings

        try:
            client: Any = chromadb.HttpClient(
                host=self.shown, ssl=secure, headers=headers, settings=Settings(anonymized_telemetry=False)
            )
        except ValueError as error:  # so it says that nobody answers
            raise IndexUnreachable(self._unreachable()) from error
        # It would wait for ever, and has no setting for it; nor does it close its connections.
        self._connections: list[httpx.Client] = [client._server._session, client._admin_client._server._session]
        self._connections[0].timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        return client

    def client(self) -> Any:
        return self._client

    def is_empty(self) -> bool:
        return False

    def mark(self, prefix: str) -> Mark:
        from chromadb.errors import NotFoundError

        try:
            kept = self._client.get_collection(f"{prefix}mark", embedding_function=None).metadata or {}
        except NotFoundError:
            return UNMARKED
        return Mark(str(kept.get("base", "")), int(kept.get("change", -1)))

    def set_mark(self, prefix: str, mark: Mark) -> None:
        kept = self._client.get_or_create_collection(f"{prefix}mark", embedding_function=None)
        kept.modify(metadata={"base": mark.base, "change": mark.change})

    @contextmanager
    def trouble(self) -> Iterator[None]:
        import httpx
        from chromadb.errors import AuthorizationError, ChromaAuthError, InternalError, NotFoundError, RateLimitError

        try:
            yield
        except NotFoundError as error:
            raise CollectionGone from error
        except (httpx.HTTPError, InternalError, RateLimitError) as error:
            raise IndexUnreachable(self._unreachable()) from error
        except (AuthorizationError, ChromaAuthError) as error:
            raise IndexUnreachable(
                f"The Chroma server at {self.shown} refuses us: check the credentials in DESKMATE_CHROMA_URL or"
                " DESKMATE_CHROMA_TOKEN."
            ) from error

    def _unreachable(self) -> str:
        return f"The Chroma server at {self.shown} doesn't answer: start it, or check DESKMATE_CHROMA_URL."

    def close(self) -> None:
        self._client.close()
        for connection in self._connections:
            connection.close()
