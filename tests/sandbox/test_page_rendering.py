"""Block Kit and both languages of markup as HTML, hostile text included."""

import re
from typing import Any

import pytest
from markupsafe import Markup
from starlette.datastructures import FormData

from sandbox.page.forms import BadForm, Click, read_click, read_values
from sandbox.page.mrkdwn import Names, is_safe_link, linked, markdown, mrkdwn, plain
from sandbox.page.rendering import environment, render_blocks
from sandbox.page.scene import as_typed

Json = dict[str, Any]
NAMES = Names(user={"U0BOB": "Bob <b>Brown</b>"}.get, channel={"C0ITHELP": "it-help"}.get)
HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>' onmouseover='alert(1)"


def shown(text: str) -> str:
    return str(mrkdwn(text, NAMES))


def rendered(
    *blocks: dict[str, Any], errors: dict[str, str] | None = None, values: dict[str, Any] | None = None
) -> str:
    html = render_blocks(blocks, environment(NAMES), place="m1.1", errors=errors, values=values)
    assert isinstance(html, Markup)
    return re.sub(r"\s+", " ", html)


def text(content: str, kind: str = "plain_text") -> Json:
    return {"type": kind, "text": content}


def button(**more: Any) -> Json:
    element = {"type": "button", "action_id": "claim", "text": text("Claim")} | more
    return {"type": "actions", "block_id": "b1", "elements": [element]}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("*bold* _italic_ ~gone~", "<p><strong>bold</strong> <em>italic</em> <s>gone</s></p>"),
        ("*bold with _italic_ inside*", "<p><strong>bold with <em>italic</em> inside</strong></p>"),
        ("2*3*4 and snake_case_name", "<p>2*3*4 and snake_case_name</p>"),
        ("`*raw*`", "<p><code>*raw*</code></p>"),
        ("one\ntwo", "<p>one<br>two</p>"),
        ("- one\n- two", "<ul><li>one</li><li>two</li></ul>"),
        ("• one\n    • deep", '<ul><li>one</li><li class="deep">deep</li></ul>'),
        ("3. three\n4. four", '<ol start="3"><li>three</li><li>four</li></ol>'),
        ("&gt; quoted\nnot", "<blockquote><p>quoted</p></blockquote><p>not</p>"),
        ("```\na &lt; b\n*c*```", "<pre><code>a &lt; b\n*c*</code></pre>"),
        (":eyes: :no_such_thing: 10:30:45", "<p>👀 :no_such_thing: 10:30:45</p>"),
        ("see <#C0ITHELP>", '<p>see <span class="mention">#it-help</span></p>'),
        ("<!here> <!subteam^S1|@desk>", '<p><span class="mention">@here</span> <span class="mention">@desk</span></p>'),
    ],
)
def test_slacks_markup_becomes_html(written: str, expected: str) -> None:
    assert shown(written) == expected


def test_a_link_opens_in_a_new_tab() -> None:
    assert shown("<https://example.org/a?b=1&amp;c=2|the page>") == (
        '<p><a href="https://example.org/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">the page</a></p>'
    )


def test_a_bare_address_is_a_link_without_the_full_stop_after_it() -> None:
    assert 'href="https://example.org/x_y_z"' in shown("Look at https://example.org/x_y_z.")


def test_the_name_in_a_mention_is_escaped() -> None:
    assert shown("<@U0BOB>") == '<p><span class="mention">@Bob &lt;b&gt;Brown&lt;/b&gt;</span></p>'


def test_a_date_that_cannot_be_read_shows_its_fallback() -> None:
    assert shown("<!date^soon^{date}|next week>") == "<p>next week</p>"
    assert "2026" in shown("<!date^1780000000^{date_num}|later>")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "//evil", " https://x y"]
)
def test_only_web_and_mail_addresses_are_links(url: str) -> None:
    assert not is_safe_link(url)
    assert "<a " not in shown(f"<{url}|click>")
    assert (
        "javascript"
        not in rendered(
            {
                "type": "actions",
                "block_id": "b",
                "elements": [{"type": "button", "action_id": "a", "text": text("Go"), "url": url}],
            }
        ).lower()
    )


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x"])
def test_markdown_makes_no_dangerous_links(url: str) -> None:
    assert "href" not in markdown(f"[click]({url}) ![pic]({url})", NAMES)


def test_html_in_any_text_is_shown_and_not_obeyed() -> None:
    option = {"text": text(HOSTILE), "value": HOSTILE[:70], "description": text(HOSTILE)}
    inputs: list[Json] = [
        {"type": "plain_text_input", "initial_value": HOSTILE, "placeholder": text(HOSTILE)},
        {"type": "plain_text_input", "multiline": True, "initial_value": "</textarea>" + HOSTILE},
        {"type": "radio_buttons", "options": [option]},
        {"type": "static_select", "options": [option], "placeholder": text(HOSTILE)},
    ]
    runs = [{"type": "text", "text": HOSTILE}, {"type": "link", "url": HOSTILE}]
    html = rendered(
        {"type": "section", "block_id": HOSTILE, "text": text(HOSTILE, "mrkdwn"), "fields": [text(HOSTILE)]},
        {"type": "header", "text": text(HOSTILE)},
        {"type": "markdown", "text": HOSTILE + "\n\n" + HOSTILE},
        {"type": "context", "elements": [text(HOSTILE), {"type": "image", "image_url": HOSTILE, "alt_text": HOSTILE}]},
        {"type": "image", "image_url": "https://x.example/" + HOSTILE, "alt_text": HOSTILE, "title": text(HOSTILE)},
        button(action_id=HOSTILE, text=text(HOSTILE), value=HOSTILE),
        {"type": "table", "rows": [[{"type": "raw_text", "text": HOSTILE}]]},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": runs}]},
        {"type": HOSTILE},
        *(
            {"type": "input", "block_id": HOSTILE, "label": text(HOSTILE), "hint": text(HOSTILE), "element": each}
            for each in inputs
        ),
        errors={HOSTILE: HOSTILE},
    )
    assert "<script" not in html
    assert "<img" not in html
    assert not re.search(r"<[^>]*\sonmouseover=", re.sub(r'"[^"]*"', '""', html))
    assert html.count("</textarea>") == 1


def test_a_mail_shows_its_text_and_links_addresses_only() -> None:
    assert linked("<b>Go</b> to https://example.org/once/x.") == (
        '&lt;b&gt;Go&lt;/b&gt; to <a href="https://example.org/once/x" target="_blank" rel="noopener noreferrer">'
        "https://example.org/once/x</a>."
    )


def test_plain_text_has_emoji_and_line_breaks_and_no_markup() -> None:
    assert plain("*a*\n:tada:") == "*a*<br>🎉"


def test_a_button_keeps_its_text_as_name_and_tells_where_it_is() -> None:
    html = rendered(
        {
            "type": "actions",
            "block_id": "b1",
            "elements": [{"type": "button", "action_id": "claim", "style": "primary", "text": text("Claim")}],
        }
    )
    assert '<button class="button primary" name="click" value="b1/claim">Claim</button>' in html


def test_a_link_button_opens_a_new_tab_and_still_tells_the_app() -> None:
    html = rendered(
        {
            "type": "actions",
            "block_id": "b1",
            "elements": [{"type": "button", "action_id": "open", "url": "https://kb.example", "text": text("Open")}],
        }
    )
    assert 'href="https://kb.example" target="_blank"' in html
    assert "data-click" in html


def test_a_refused_field_shows_its_error_and_keeps_what_was_entered() -> None:
    block = {
        "type": "input",
        "block_id": "why",
        "label": text("Why"),
        "element": {"type": "plain_text_input", "action_id": "t"},
    }
    html = rendered(
        block, errors={"why": "Too short"}, values={"why": {"t": {"type": "plain_text_input", "value": "hm"}}}
    )
    assert 'role="alert">Too short</p>' in html
    assert 'value="hm"' in html


BLOCKS: list[Json] = [
    {"type": "input", "block_id": "why", "element": {"type": "plain_text_input", "action_id": "t"}},
    {"type": "input", "block_id": "many", "element": {"type": "checkboxes", "action_id": "c", "options": []}},
    {
        "type": "actions",
        "block_id": "acts",
        "elements": [{"type": "button", "action_id": "go"}, {"type": "static_select", "action_id": "s"}],
    },
    {"type": "context_actions", "block_id": "fb", "elements": [{"type": "feedback_buttons", "action_id": "f"}]},
]


def test_a_form_is_read_by_the_blocks_that_it_shows() -> None:
    form = FormData([("why/t", "because"), ("many/c", "a"), ("many/c", "b"), ("other", "x")])
    assert read_values(form, BLOCKS) == {"why": {"t": "because"}, "many": {"c": ["a", "b"]}, "acts": {"s": None}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([("click", "acts/go")], Click("acts", "go", None)),
        ([("click", "fb/f/up")], Click("fb", "f", "up")),
        ([("click", "acts/s"), ("acts/s", "p1")], Click("acts", "s", "p1")),
    ],
)
def test_a_click_is_read_with_its_value(fields: list[tuple[str, str]], expected: Click) -> None:
    assert read_click(FormData(dict(fields)), BLOCKS) == expected


@pytest.mark.parametrize("click", ["", "acts", "acts/gone", "gone/go", "a/b/c/d"])
def test_a_click_on_what_is_not_there_is_refused(click: str) -> None:
    with pytest.raises(BadForm):
        read_click(FormData([("click", click)]), BLOCKS)


def test_a_message_is_edited_as_it_was_typed() -> None:
    wire = "a &lt; b &amp; c <https://x.example> <mailto:a@b.c|a@b.c> <@U0BOB> <!here>"
    assert as_typed(wire, {"U0BOB": "Bob Brown"}.get) == "a < b & c https://x.example a@b.c @Bob Brown @here"


def test_a_thumb_whose_label_is_a_thumb_is_shown_once() -> None:
    thumbs = {
        "type": "feedback_buttons",
        "action_id": "f",
        "positive_button": {"text": text("👍"), "value": "up", "accessibility_label": "This helped"},
        "negative_button": {"text": text("Not quite"), "value": "down"},
    }
    html = rendered({"type": "context_actions", "block_id": "fb", "elements": [thumbs]})

    assert html.count("👍") == 1
    assert "👎</span> Not quite" in html
