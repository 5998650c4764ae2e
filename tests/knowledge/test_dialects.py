"""What dialects of Markdown add, and pictures, as they are shown in chat."""

import pytest

from ingest.cleaning import clean as clean_file
from knowledge.cleaning import clean

BASE = "https://kb.example.com/vpn/setup"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('!!! note "Before"\n    Save it.\n\n    - One\n', "> **Note: Before**\n>\n> Save it.\n>\n> - One"),
        ("Text\n!!! warning\n    Stop.\nMore", "Text\n> **Warning:** Stop.\n\nMore"),
        (":::tip\n\nUse it.\n\n:::\nMore", "> **Tip:** Use it.\n\nMore"),
        (":::caution[Read this]\nText\n:::", "> **Caution: Read this**\n>\n> Text"),
        ("1. One\n\n   !!! tip\n       Two.\n\n2. Three", "1. One\n\n   > **Tip:** Two.\n\n2. Three"),
        ('<div class="usa-alert usa-alert--info">\n<div class="b">\nText\n</div>\n</div>', "> **Info:** Text"),
        ('<div class="alert alert-danger" role="alert">Text</div>', "> **Danger:** Text"),
        ("> [!NOTE]\n> Save first.", "> **Note:**\n> Save first."),
        ("> **Note:** Save first.", "> **Note:** Save first."),
        ("Term\n: What\n: And more\n\nOther\n: That", "- **Term**: What\n  - And more\n\n- **Other**: That"),
        ("<dl><dt>Term</dt><dd>What it is</dd></dl>", "- **Term**: What it is"),
        ("```\n!!! note\n    Text\n```", "```\n!!! note\n    Text\n```"),
        ("At 10\n: it is late", "- **At 10**: it is late"),
        ("- Item\n: no definition", "- Item\n: no definition"),
        ('::: zone pivot="a"\nText\n::: zone-end', "Text"),
    ],
)  # fmt: skip
def test_callouts_become_quotations_and_definitions_a_list(before: str, after: str) -> None:
    assert clean(clean_file(before)).strip() == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("![Where the key is](img/a%20b.png)", f"[🖼 Where the key is]({'https://kb.example.com/vpn/img/a%20b.png'})"),
        ("![](/a.png)", "[🖼 picture](https://kb.example.com/a.png)"),
        ("![Screenshot of the red light on it](https://x.example/(1).png)", "[🖼 red light on it](https://x.example/%281%29.png)"),
        ('<img alt="Where the key is" src="a.png">', "[🖼 Where the key is](https://kb.example.com/vpn/a.png)"),
        ("Tap ![gear](gear.png) now", "Tap gear now"),
        ("1. One\n\n![Red](https://x.example/a)\n\n1. Two", "1. One\n\n   [🖼 Red](https://x.example/a)\n\n1. Two"),
        ("`![a](b.png)`", "`![a](b.png)`"),
    ],
)  # fmt: skip
def test_a_picture_is_a_link_made_absolute_by_the_address_of_the_article(before: str, after: str) -> None:
    assert clean(clean_file(before, BASE), BASE).strip() == after
    assert clean(before, BASE).strip() == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("![Screenshot of the light on the dock, red](a.png)", "(🖼 light on the dock, red)"),
        (':::image type="content" source="a.png" alt-text="Key under the lid.":::', "(🖼 Key under the lid)"),
        ("![Screenshot of it](a.png)", ""),
        ("![image of step-2 in my file.png](a.png)", ""),
        (':::image type="icon" source="a.png" alt-text="The sign that says that it is fine":::', ""),
        ("![Where to find the key](javascript:alert)", "(🖼 Where to find the key)"),
    ],
)  # fmt: skip
def test_without_an_address_only_what_a_picture_tells_is_kept(before: str, after: str) -> None:
    assert clean(clean_file(before)).strip() == after


def test_the_id_of_a_heading_is_kept_and_others_go() -> None:
    assert clean_file("## On a Mac {#mac}\n\nText {#p1}\n") == "## On a Mac {#mac}\n\nText\n"
