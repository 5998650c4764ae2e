"""Where the knowledge base keeps its index and which model embeds it."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "deskmate" / "models"


class KnowledgeSettings(BaseSettings):
    """Read from `DESKMATE_*`; the relational store's URL belongs to the roof."""

    model_config = SettingsConfigDict(env_prefix="DESKMATE_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Path(".deskmate")
    index: Literal["chroma", "pgvector"] = "chroma"
    chroma_url: SecretStr | None = None  # of a Chroma server; none: embedded, in the home
    chroma_token: SecretStr | None = None
    embedder: str = ""  # a sentence-transformers model by name or path; empty: the bundled all-MiniLM-L6-v2
    reranker: str = ""  # a sentence-transformers CrossEncoder by name or path; empty: none
    reranked: int = Field(default=20, ge=2, le=100)  # passages that it reads for a question
    models: Path = Field(default_factory=default_cache)  # exported models
    target_error: float = Field(default=0.05, gt=0, lt=1)  # the share of answers that may be wrong

    @property
    def chroma_server(self) -> str:
        """Its URL, with whatever is secret in it; empty when Chroma is embedded or isn't used."""
        return self.chroma_url.get_secret_value() if self.chroma_url and self.index == "chroma" else ""

    @property
    def index_is_shared(self) -> bool:
        """Whether several processes keep one index; the embedded one belongs to one process."""
        return self.index == "pgvector" or bool(self.chroma_server)

    @property
    def index_folder(self) -> Path:
        return self.home / "index"
