from collections.abc import Callable

import pytest

from knowledge.articles import Document
from knowledge.errors import NotAllowed
from knowledge.library import Library, Progress

MakeArticle = Callable[..., Document]
NewLibrary = Callable[[], Library]

PRINTER = "Before you start, switch it on.\n\n" + "\n".join(
    f"{number}. Press button {number} on the printer and wait until the lamp turns green again."
    for number in range(1, 61)
)


@pytest.fixture
def handbook(article: MakeArticle) -> list[Document]:
    return [
        article("vpn", "Connect to the VPN", "1. Open the client.\n1. Choose **Connect**.\n1. Approve the sign-in.\n"),
        article("printer", "Set up the printer", PRINTER),
        article("leave", "Ask for leave", "Leave is booked in the calendar. Ask your manager first.\n"),
    ]


def test_an_answer_gives_the_steps_in_order_with_its_source(library: Library, handbook: list[Document]) -> None:
    added = library.add(handbook)
    answer = library.answer("how do I connect to the vpn")
    assert added.added == ("vpn", "printer", "leave")
    assert answer.text == "1. Open the client.\n2. Choose **Connect**.\n3. Approve the sign-in."
    assert answer.citations[0].article_id == "vpn"
    assert answer.citations[0].url == "https://kb.example.com/vpn"
    assert 0 <= answer.confidence <= 1
    assert not answer.more


def test_a_long_procedure_starts_with_step_one_and_says_how_many_follow(
    library: Library, handbook: list[Document]
) -> None:
    library.add(handbook)
    answer = library.answer("printer button 50 lamp")
    shown = [number for number in range(1, 61) if f"{number}. Press button {number} on" in answer.text]
    assert shown == list(range(1, len(shown) + 1))
    assert answer.more
    assert f"{60 - len(shown)} more steps follow" in answer.text
    assert len(answer.text) < 2_600
    whole = library.full_steps("printer", answer.passage_ids[0], frozenset())
    assert [number for number in range(1, 61) if f"{number}. Press button {number} on" in whole] == list(range(1, 61))


def test_what_is_unchanged_is_left_alone_and_what_changed_is_embedded_only_where_new(
    library: Library, handbook: list[Document], article: MakeArticle
) -> None:
    library.add(handbook)
    seen: list[Progress] = []
    changed = article("printer", "Set up the printer", PRINTER + "\n\n## Paper\n\nUse A4.\n")
    again = library.add([handbook[0], changed, handbook[2]], progress=seen.append)
    assert (again.added, again.changed, again.unchanged) == ((), ("printer",), ("vpn", "leave"))
    assert seen[-1].embedded == 1
    assert "A4" in library.answer("which paper does the printer use").text


def test_a_removed_article_is_no_longer_cited_and_can_come_back(library: Library, handbook: list[Document]) -> None:
    library.add(handbook)
    assert library.retire("another source", set()) == []
    assert library.retire("handbook", {"printer", "leave"}) == ["vpn"]
    assert all(item.article_id != "vpn" for item in library.rank("connect to the vpn"))
    assert library.add(handbook).added == ("vpn",)
    assert library.rank("connect to the vpn")[0].article_id == "vpn"


def test_a_second_library_cannot_have_the_folder_answers_alike_and_adds_for_the_owner(
    new_library: NewLibrary, handbook: list[Document]
) -> None:
    owner, guest = new_library(), new_library()
    owner.add(handbook[:2])
    assert owner.owns_index
    assert guest.answer("connect to the vpn").text == owner.answer("connect to the vpn").text
    assert not guest.owns_index
    guest.add(handbook[2:])
    assert owner.refresh()
    assert not owner.refresh()
    assert owner.rank("ask for leave")[0].article_id == "leave"


def test_an_empty_knowledge_base_and_an_empty_question_get_an_unsure_answer(library: Library) -> None:
    assert library.answer("anything").text == ""
    assert not library.answer("   ").confident
    with pytest.raises(NotAllowed):
        library.full_steps("nothing", 1, frozenset())


def test_symptoms_lead_to_the_resolution(library: Library, article: MakeArticle) -> None:
    text = "## Symptoms\n\nThe screen flickers blue.\n\n## Resolution\n\n1. Update the driver.\n2. Restart.\n"
    library.add([article("screen", "Laptop display trouble", text)])
    answer = library.answer("my screen flickers blue")
    assert answer.text == "1. Update the driver.\n2. Restart."
    assert answer.citations[0].heading == "Resolution"


def test_stages_under_numbered_headings_are_shown_from_the_first(library: Library, article: MakeArticle) -> None:
    text = "## Step 1: Unplug\n\nPull the cable.\n\n## Step 2: Wait\n\nCount to sixty.\n\n## See also\n\nThe manual.\n"
    library.add([article("router", "Restart the router", text)])
    answer = library.answer("router count to sixty")
    assert answer.text.index("Pull the cable") < answer.text.index("Count to sixty")
    assert "manual" not in answer.text


def test_steps_are_shown_rather_than_an_aside_that_ranks_a_little_higher(
    library: Library, article: MakeArticle
) -> None:
    text = (
        "## Nobody hears you\n\n1. Look at the headset: the red light means mute, so press its button once.\n"
        "1. Choose the headset by its name in the settings of the program.\n1. Leave the call and join again.\n\n"
        "## Echo\n\nTwo devices in one room are in the same call.\n"
    )
    library.add([article("sound", "No sound in Teams", text)])
    assert "1. Look at the headset" in library.answer("no sound in teams calls").text
    assert "Two devices" in library.answer("echo in teams").text


def test_damage_is_not_answered_from_an_article_that_does_not_speak_of_it(
    library: Library, article: MakeArticle
) -> None:
    charging = "1. Plug the laptop in.\n1. Open the battery settings.\n1. Choose **Charge to 100 percent**.\n"
    library.add([article("battery", "Laptop battery", charging)])
    assert library.answer("laptop battery settings: charge to 100 percent").confident
    assert not library.answer("laptop battery is swollen, settings: charge to 100 percent").confident
    swollen = charging + "\nIf it is swollen, switch the laptop off and bring it to IT.\n"
    library.add([article("battery", "Laptop battery", swollen)])
    assert library.answer("laptop battery is swollen, settings: charge to 100 percent").confident


def test_an_abbreviation_is_understood_unless_the_articles_use_it_themselves(
    library: Library, article: MakeArticle
) -> None:
    library.add(
        [
            article("password", "Change your password", "1. Open the portal.\n1. Choose **Change password**.\n"),
            article("wall", "Use the projector", "1. Press **Source** on the remote control.\n"),
            article("akku", "Akku service", "Bring an akku to IT.\n"),
        ]
    )
    assert library.rank("pw")[0].article_id == "password"
    assert library.rank("beamer")[0].article_id == "wall"
    assert library.rank("akku")[0].article_id == "akku"
