"""rich_text and table blocks as Slack checks them."""

from typing import Any

from sandbox.schema import Check, anything, array, boolean, by_type, integer, one_of, record, string, typed

ANY_TEXT = string(3000, shortest=0)
STYLE = record(
    {},
    dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight"), boolean),
)

_PIECES: dict[str, tuple[dict[str, Check], dict[str, Check]]] = {
    "text": ({"text": string(40_000, shortest=0)}, {}),
    "link": ({"url": string(3000)}, {"text": ANY_TEXT, "unsafe": boolean}),
    "emoji": ({"name": string(255)}, {"unicode": anything, "skin_tone": integer}),
    "user": ({"user_id": string(255)}, {}),
    "usergroup": ({"usergroup_id": string(255)}, {}),
    "team": ({"team_id": string(255)}, {}),
    "channel": ({"channel_id": string(255)}, {}),
    "broadcast": ({"range": one_of("here", "channel", "everyone")}, {}),
    "date": ({"timestamp": integer, "format": string(255)}, {"url": string(3000), "fallback": ANY_TEXT}),
    "color": ({"value": string(255)}, {}),
}
_PIECE = by_type(
    {name: typed(required, {"style": STYLE, **optional}) for name, (required, optional) in _PIECES.items()},
    "rich text element",
)
_SECTION = typed({"elements": array(_PIECE, 10_000, least=0)})
_ELEMENT = by_type(
    {
        "rich_text_section": _SECTION,
        "rich_text_list": typed(
            {"elements": array(_SECTION, 1000), "style": one_of("bullet", "ordered")},
            {"indent": integer, "offset": integer, "border": integer},
        ),
        "rich_text_preformatted": typed(
            {"elements": array(_PIECE, 10_000, least=0)}, {"border": integer, "language": string(255)}
        ),
        "rich_text_quote": typed({"elements": array(_PIECE, 10_000, least=0)}, {"border": integer}),
    },
    "rich text element",
)
RICH_TEXT: tuple[dict[str, Check], dict[str, Check]] = ({"elements": array(_ELEMENT, 1000, least=0)}, {})

_CELL = by_type(
    {
        "raw_text": typed({"text": string(10_000)}),
        "raw_number": typed({"value": anything}, {"text": string(255)}),
        "rich_text": typed(RICH_TEXT[0], {"block_id": string(255)}),
    },
    "table cell",
)
_SETTING = record({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})


def _column_setting(value: Any, path: str) -> list[str]:
    return [] if value is None else _SETTING(value, path)


TABLE: tuple[dict[str, Check], dict[str, Check]] = (
    {"rows": array(array(_CELL, 20), 100)},
    {"column_settings": array(_column_setting, 20)},
)
