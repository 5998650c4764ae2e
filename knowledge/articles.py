"""What a source hands over: one article as a document."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Document:
    """An article as its source has it now.

    `access` names the groups that may see it; empty means everybody. A source that can't tell who may see an
    article must not yield it. `source` is the root it came from (the absolute path of the ingested folder, or the
    source's name): an article is known by `source` and `article_id` together, and only articles of the same
    source can be removed by it. `content_hash` is of the raw file.
    """

    article_id: str
    title: str
    markdown: str
    url: str | None
    access: tuple[str, ...]
    owner: str | None
    description: str | None
    source: str
    content_hash: str
    updated_at: datetime | None
