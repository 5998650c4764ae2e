"""Block Kit as HTML: pure, from what the Web API stored to what the page shows."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from jinja2 import ChainableUndefined, Environment, PackageLoader
from markupsafe import Markup, escape

from sandbox.page.emoji import emoji
from sandbox.page.mrkdwn import Names, is_safe_link, link, linked, markdown, mrkdwn, plain

Json = Mapping[str, Any]


def environment(names: Names) -> Environment:
    """The page's templates, with the filters that turn Slack's text into safe HTML.

    A field that a block may leave out is simply empty on the page.
    """
    made = Environment(
        loader=PackageLoader("sandbox.page", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=ChainableUndefined,
    )
    made.filters |= {
        "mrkdwn": lambda text: mrkdwn(str(text), names),
        "markdown": lambda text: markdown(str(text), names),
        "plain": lambda text: plain(str(text)),
        "text": lambda value: text_object(value, names),
        "lines": lambda text: plain(str(text), shortcodes=False),
        "anchor": lambda url, label: link(str(url), escape(label)),
        "linked": linked,
        "person": lambda user_id: names.user(user_id) or user_id,
        "emoji": emoji,
        "address": address,
    }
    made.tests["safe_link"] = lambda url: is_safe_link(str(url))
    made.globals["user_name"] = lambda user_id: names.user(user_id) or user_id
    made.globals["channel_name"] = lambda channel_id: names.channel(channel_id) or channel_id
    return made


def text_object(value: Json | None, names: Names) -> Markup:
    """A composition object of type `plain_text` or `mrkdwn`; nothing for None."""
    if not value:
        return Markup("")
    if value.get("type") == "mrkdwn":
        return mrkdwn(str(value.get("text", "")), names)
    return plain(str(value.get("text", "")), shortcodes=bool(value.get("emoji", True)))


def address(*parts: Any) -> str:
    """Block id, action id and perhaps a value as one form field's name or value; `forms` reads it back.

    Percent-encoded, for a browser changes quotation marks in the names of fields.
    """
    return "/".join(quote(str(part), safe="") for part in parts)


def render_blocks(
    blocks: Sequence[Json],
    environment: Environment,
    *,
    place: str,
    values: Json | None = None,
    errors: Mapping[str, str] | None = None,
) -> Markup:
    """The blocks of one message or view.

    `place` makes the ids of its form controls unique on the page; `values` is Slack's `state.values`, `errors` a
    text by block id. Buttons are submit buttons named `click`: the caller provides the form around them.
    """
    macros: Any = environment.get_template("blocks.html").module
    rendered: Markup = macros.blocks(blocks, place, values or {}, errors or {})
    return rendered
