"""The real knowledge base of the data folder."""

from pathlib import Path

import pytest

from ingest import file
from ingest.folder import walk

ARTICLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "kb" / "articles"


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.skipif(not ARTICLES.exists(), reason="the data folder ../shared isn't there")
def test_every_article_of_five_publishers_can_be_read_and_holds_no_markup_of_theirs() -> None:
    listing = walk(ARTICLES.resolve())
    left: list[str] = []
    for path in listing.files:
        article = file.parse(file.load(ARTICLES / path), name=path)
        assert article.title
        left += [f"{path}: {mark}" for mark in (":::image", "[!NOTE", "[!INCLUDE", "![") if mark in article.markdown]

    assert len(listing.files) == 2_068
    assert left == []
