"""The articles that an answer is from and cites, without near copies of each other: of those the newest stands."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.articles import current_version_of_article
from knowledge.duplicates import Kept, collapsed
from knowledge.records import Article, ArticleVersion, Passage
from knowledge.retrieval import Hit
from knowledge.trace import Stage

COMPARED = 10  # articles
AS_GOOD = 0.15  # below the best score; what lies further down isn't cited, and a true copy lies near


def without_copies(session: Session, ranked: Sequence[Hit]) -> list[Kept[Hit]]:
    """Of hits sorted best first, one an article: the best of them, without near copies. Copies are told by title,
    headings and text together, so that twins for two products stay two.

    Only hits are compared, and a hit is what the asker may see: an article that he may not see hides none.
    """
    if len(ranked) < 2 or ranked[1].score < ranked[0].score - AS_GOOD:
        return [Kept(hit) for hit in ranked]
    near = [hit for hit in ranked[:COMPARED] if hit.score >= ranked[0].score - AS_GOOD]
    rows = session.execute(
        select(Passage.id, Passage.text, ArticleVersion.updated_at)
        .join(ArticleVersion, Passage.version == ArticleVersion.id)
        .join(Article, current_version_of_article())
        .where(Passage.id.in_([hit.passage for hit in near]))
    )
    found: dict[int, tuple[str, datetime | None]] = {passage: (text, updated) for passage, text, updated in rows}

    def text(hit: Hit) -> str:
        return "\n".join([hit.title, *hit.headings, found.get(hit.passage, ("", None))[0]])

    def newer(one: Hit, other: Hit) -> bool:
        mine, theirs = (found.get(hit.passage, ("", None))[1] for hit in (one, other))
        return mine is not None and (theirs is None or mine > theirs)

    kept = collapsed(near, text=text, article=lambda hit: hit.article, newer=newer)
    return [*kept, *(Kept(hit) for hit in ranked[len(near) :])]


def stage_of(kept: Sequence[Kept[Hit]]) -> list[Stage]:
    """What was left out as a copy, for the trace; nothing if nothing was."""
    copies = [copy.article_id for each in kept for copy in each.copies]
    if not copies:
        return []
    said = "left out near copies of other articles: " + ", ".join(copies)
    return [Stage("duplicates", said, details={"copies": copies})]
