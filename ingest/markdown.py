"""A Markdown file as an article."""

import re

from ingest import article
from ingest.article import Article
from ingest.cleaning import clean
from ingest.front_matter import FrontMatter, changed

HEADING_ID = re.compile(r"[ \t]*\{:?[ \t]*#[^{}]*\}$")
HEADING = re.compile(r"^ {0,3}#[ \t]+(.+?)[ \t]*#*[ \t]*$|^ {0,3}(\S[^\n]*)\n {0,3}=+[ \t]*$", re.MULTILINE)
FENCED = re.compile(r"^[ \t>]*(`{3,}|~{3,}).*?^[ \t>]*\1[`~]*[ \t]*$", re.MULTILINE | re.DOTALL)
LINKED = re.compile(r"\[([^\[\]]*)\]\([^()\s]*\)")
MARKS = re.compile(r"\*\*|__|`|(?<!\w)[*_]|[*_](?!\w)")


def parse(text: str, *, stem: str, front: FrontMatter) -> Article:
    """The article of a Markdown text without its front matter. Title: front matter, first heading, name of the file."""
    values = front.values
    url = article.web_address(values.get("url"))
    markdown = clean(text, url)
    return Article(
        article_id=article.article_id(values.get("id")),
        title=article.title(values.get("title")) or article.title(first_heading(markdown)) or stem,
        markdown=markdown,
        url=url,
        access=front.access,
        owner=article.one_line(values.get("owner") or values.get("author"), limit=article.MAX_TITLE),
        description=article.one_line(values.get("description"), limit=article.MAX_DESCRIPTION),
        updated_at=article.moment(changed(values)),
    )


def first_heading(markdown: str) -> str | None:
    """The words of the first heading of the first level outside of code."""
    found = HEADING.search(FENCED.sub("", markdown))
    if found is None:
        return None
    words = MARKS.sub("", LINKED.sub(r"\1", HEADING_ID.sub("", found[1] or found[2])))
    return re.sub(r"\\([\\`*_{}\[\]()#+\-.!<>])", r"\1", words)
