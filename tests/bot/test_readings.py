"""A question back offers readings; whoever picks one is answered from its article."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from bot import outcomes
from bot.conversation import Asked, decide
from bot.outcomes import Answered, Clarified, Escalated
from bot.people import Employee
from bot.routing import Intent, Route
from bot.why import Branch
from knowledge.answers import Answer, Citation
from knowledge.articles import Document
from knowledge.library import Library
from knowledge.settings import KnowledgeSettings
from store import Base, Database

EMPLOYEE = Employee(team="T1", user="U1", name="Alice")
ASKED_BACK = Clarified("Which?", options=("VPN on a Mac", "VPN on Windows", "Talk to a human"), articles=("mac", "win"))


def answer(confidence: float, article: str = "mac") -> Answer:
    return Answer("Do it.", confidence, confidence >= 0.7, (Citation(article, article, None, None, 0.8),), (1,))


class Kept:
    """A library that answers as told, and keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.asked = list(answers), list[Any]()

    def answer(self, question: str, **how: Any) -> Answer:
        self.asked.append((question, how.get("chosen"), list(how["earlier"])))
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def desk_over(library: Any) -> Any:
    route = Route(Intent.OTHER, 0.5, on_topic=True)
    return SimpleNamespace(
        library=library, router=SimpleNamespace(route=lambda text: route), grounded=None, proposer=None, database=None
    )


def picked(text: str) -> Asked:
    return Asked(text, EMPLOYEE, private=True, last=ASKED_BACK, earlier=("hello", "the vpn doesn't work"))


def test_the_picked_reading_answers_the_question_that_was_asked_not_its_title() -> None:
    library = Kept(answer(0.7, "win"))
    decision = decide(desk_over(library), picked(" VPN on Windows "))
    assert isinstance(decision.outcome, Answered)
    assert decision.why.branch is Branch.KNOWLEDGE_BASE
    assert "picked" in decision.why.because
    assert library.asked == [("the vpn doesn't work", "win", ["hello"])]


def test_other_words_than_a_reading_are_a_question_of_their_own() -> None:
    library = Kept(answer(0.9))
    decide(desk_over(library), picked("on my phone"))
    assert [(question, chosen) for question, chosen, _ in library.asked] == [("on my phone", None)]


def test_a_reading_that_is_gone_meanwhile_is_looked_up_as_a_question() -> None:
    library = Kept(answer(0.0), answer(0.1))
    decision = decide(desk_over(library), picked("VPN on Windows"))
    assert isinstance(decision.outcome, Escalated)
    assert [chosen for _, chosen, _ in library.asked] == ["win", None]


def test_the_wish_for_a_human_among_the_readings_is_no_article() -> None:
    assert ASKED_BACK.article_of("Talk to a human") is None


def test_a_question_back_offers_what_was_found_and_keeps_which_articles() -> None:
    decision = decide(desk_over(Kept(answer(0.4))), Asked("vpn", EMPLOYEE, private=True))
    assert isinstance(decision.outcome, Clarified)
    assert decision.outcome.articles == ("mac",)
    assert decision.outcome.options[0] == "mac"
    assert outcomes.from_json(json.loads(json.dumps(outcomes.to_json(decision.outcome)))) == decision.outcome


@pytest.fixture
def library(tmp_path: Any) -> Any:
    database = Database.at(f"sqlite:///{tmp_path / 'deskmate.sqlite'}")
    Base.metadata.create_all(database.engine)
    with Library(
        database, KnowledgeSettings(home=tmp_path / "home", embedder="", index="chroma", chroma_url=None)
    ) as it:
        it.add(
            Document(name, title, text, None, access, None, None, "test", "", None)
            for name, title, text, access in [
                ("mac", "VPN on a Mac", "1. Open the menu.\n2. Choose VPN.", ()),
                ("win", "VPN on Windows", "1. Open Settings.\n2. Choose VPN.", ()),
                ("pay", "VPN for managers", "1. Open PayRoom.", ("managers",)),
            ]
        )
        yield it
    database.close()


def test_a_picked_article_is_answered_from_only_by_who_may_see_it(library: Library) -> None:
    chosen = library.answer("how do I open it", chosen="win")
    assert chosen.confident
    assert [citation.article_id for citation in chosen.citations] == ["win"]
    assert not library.answer("VPN for managers", chosen="pay").confident
    assert not library.answer("VPN for managers", chosen="pay").citations
    assert library.answer("VPN for managers", chosen="pay", groups=frozenset({"managers"})).confident
    assert not library.answer("how do I open it", chosen="never-there").confident


def test_a_pick_does_not_make_an_article_speak_of_damage_that_it_does_not_name(library: Library) -> None:
    assert not library.answer("the laptop smokes and is swollen, VPN", chosen="win").confident
