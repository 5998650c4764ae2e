import pytest

from knowledge.damage import speaks_of_all_damage


@pytest.mark.parametrize(
    "question",
    [
        "the display is cracked",
        "battery swollen!!",
        "the dock is LEAKING",
        "i spilled tea on it",
        "smoke comes out of the printer",
        "there is a burning smell",
    ],
)
def test_named_damage_needs_an_article_that_names_it(question: str) -> None:
    assert not speaks_of_all_damage("Restart the device.", question)
    assert speaks_of_all_damage(f"What to do when: {question}", question)


def test_other_forms_of_the_word_count_and_other_damage_does_not() -> None:
    assert speaks_of_all_damage("A crack in the glass", "my screen cracked")
    assert not speaks_of_all_damage("A crack in the glass", "cracked, and it smokes")


def test_questions_without_damage_need_nothing() -> None:
    assert speaks_of_all_damage("", "the firewall blocks the burndown chart")
