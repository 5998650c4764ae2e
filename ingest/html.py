"""A page of HTML as an article: its main part as Markdown, without what surrounds it on the site."""

import re
import warnings
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning, Tag, XMLParsedAsHTMLWarning
from markdownify import MarkdownConverter

from ingest import article
from ingest.article import Article
from ingest.errors import AccessUnclear, IngestError
from ingest.front_matter import FrontMatter, changed
from knowledge import dialects, pictures

MAX_DEPTH = 200
ANCHOR = re.compile(r"^[\w-]+$")
DROPPED = (
    "script, style, noscript, template, nav, footer, aside, form, iframe, object, embed, svg, canvas, video, audio, "
    "button, dialog, [hidden], [aria-hidden=true], [role=navigation], [role=banner], [role=contentinfo], "
    "[role=search], [role=complementary], body > header"
)
LINKABLE = ("http", "https", "mailto", "tel")
INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


class Converter(MarkdownConverter):
    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """Left to what shows pictures; within a sentence and short, it stands for a word."""
        words = pictures.bare(str(el.get("alt") or ""))
        if words and len(words) <= 30 and el.parent is not None and el.parent.get_text(strip=True):
            return words
        return f"![{words}](<{_attribute(el, 'src') or ''}>)"


def parse(text: str, *, stem: str, front: FrontMatter) -> Article:
    """The article of a page; what front matter says above the page goes before what the page says.

    `<meta name="access" content="hr, finance">` restricts it as front matter does. Raises `IngestError`.
    """
    soup = _soup(text)
    access = front.access or _access(soup)
    values = {name: found for name in ("author", "description", "ms.date") if (found := _meta(soup, name))}
    values |= front.values
    canonical = soup.find("link", rel="canonical")
    url = article.web_address(values.get("url")) or article.web_address(_attribute(canonical, "href"))
    titles = soup.title.get_text() if soup.title else ""
    root = _main(soup)
    heading = root.find("h1")
    own = " ".join(heading.get_text(" ").split()) if isinstance(heading, Tag) else ""
    # A page's title usually is its heading with the name of the site appended.
    named = own if own and (not titles.strip() or own.casefold() in " ".join(titles.split()).casefold()) else titles
    markdown = _markdown(root, url)
    return Article(
        article_id=article.article_id(values.get("id")),
        title=article.title(values.get("title")) or article.title(named) or article.title(own) or stem,
        markdown=markdown,
        url=url,
        access=access,
        owner=article.one_line(values.get("owner") or values.get("author"), limit=article.MAX_TITLE),
        description=article.one_line(values.get("description"), limit=article.MAX_DESCRIPTION),
        updated_at=article.moment(changed(values)),
    )


def fragment_to_markdown(text: str) -> str:
    """A piece of HTML that stands within Markdown. Raises `IngestError` when it is nested too deep."""
    return _markdown(_soup(text), None)


def _soup(text: str) -> BeautifulSoup:
    with warnings.catch_warnings():
        # Both only guess that the caller may have meant something else.
        warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        soup = BeautifulSoup(text, "lxml")
    depth: dict[int, int] = {}
    for tag in soup.find_all(True):
        depth[id(tag)] = depth.get(id(tag.parent), 0) + 1
        if depth[id(tag)] > MAX_DEPTH:
            raise IngestError(f"the page's elements are nested more than {MAX_DEPTH} deep")
    return soup


def _main(soup: BeautifulSoup) -> Tag:
    articles = soup.find_all("article")
    alone = articles[0] if len(articles) == 1 else None
    for found in (soup.find("main"), soup.select_one("[role=main]"), alone, soup.body):
        if isinstance(found, Tag) and found.get_text(strip=True):
            return found
    return soup


def _markdown(root: Tag, url: str | None) -> str:
    for tag in root.find_all(["div", "aside", "section"], class_=True):
        if word := dialects.word_of(" ".join(tag.get_attribute_list("class"))):
            _quote(tag, word)
    for tag in root.find_all(re.compile(r"^h[1-6]$"), id=ANCHOR):
        tag.append(f" {{#{tag['id']}}}")
    for tag in root.select(DROPPED) + root.find_all(style=INVISIBLE):
        if not tag.decomposed:
            tag.decompose()
    for link in root.find_all("a"):
        target = _attribute(link, "href") or ""
        try:
            target = urljoin(url, target) if url and not target.startswith("#") else target
            kept = urlsplit(target).scheme.lower() in LINKABLE
        except ValueError:
            kept = False
        if kept:
            link["href"] = target
        else:
            link.unwrap()
    converter = Converter(
        heading_style="ATX",
        bullets="-",
        escape_underscores=False,
        escape_asterisks=False,
        table_infer_header=True,
        code_language_callback=_language,
    )
    markdown = str(converter.convert_soup(root)).replace("\u00a0", " ").replace("\0", "")
    markdown = dialects.standard(pictures.as_links(markdown, url))
    markdown = re.sub(r"[ \t]+$", "", markdown, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", markdown).strip() + "\n" if markdown.strip() else ""


def _quote(tag: Tag, word: str) -> None:
    """A callout as a quotation that begins with its word, unless it says that itself."""
    tag.name = "blockquote"
    if not tag.get_text(" ", strip=True).casefold().startswith(word.casefold()):
        strong = Tag(name="strong")
        strong.string = f"{word.capitalize()}:"
        tag.insert(0, " ")
        tag.insert(0, strong)


def _language(tag: Tag) -> str | None:
    """The language of a `<pre>` by the usual class `language-NAME` on it or on its code."""
    classes = " ".join(str(one.get("class") or "") for one in (tag, tag.find("code")) if isinstance(one, Tag))
    found = re.search(r"\blanguage-([\w+#-]{1,20})", classes)
    return found[1] if found else None


def _attribute(tag: object, name: str) -> str | None:
    value = tag.get(name) if isinstance(tag, Tag) else None
    return value.strip() if isinstance(value, str) else None


def _meta(soup: BeautifulSoup, name: str) -> str | None:
    return _attribute(soup.find("meta", attrs={"name": re.compile(rf"^{re.escape(name)}$", re.IGNORECASE)}), "content")


def _access(soup: BeautifulSoup) -> tuple[str, ...]:
    tags = soup.find_all("meta", attrs={"name": re.compile(r"^\s*access\s*$", re.IGNORECASE)})
    if not tags:
        return ()
    names = [name.strip() for name in (_attribute(tags[0], "content") or "").split(",")]
    if len(tags) > 1 or not all(name and name.isprintable() for name in names):
        raise AccessUnclear('access must be names of groups, such as <meta name="access" content="hr, finance">')
    return tuple(sorted(set(names)))
