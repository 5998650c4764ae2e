"""K1-K4: nobody sees, or can tell the existence of, what they may not see."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import update

from knowledge.access import may_see
from knowledge.articles import Document
from knowledge.errors import KnowledgeError, NotAllowed
from knowledge.library import Library
from knowledge.records import ArticleVersion

MakeArticle = Callable[..., Document]
NewLibrary = Callable[[], Library]

TOPICS = ["printer", "vpn", "badge", "laptop", "leave", "payroll", "calendar", "password", "mailbox", "phone"]


def test_random_people_see_only_articles_of_their_groups(library: Library, article: MakeArticle) -> None:
    chance = random.Random(7)
    groups = [f"g{number}" for number in range(12)]
    documents = [
        article(
            f"a{number}",
            f"{chance.choice(TOPICS)} {number}",
            f"How the {chance.choice(TOPICS)} and the {chance.choice(TOPICS)} work, secret{number}.",
            access=tuple(chance.sample(groups, chance.randint(0, 3))),
        )
        for number in range(150)
    ]
    access = {document.article_id: frozenset(document.access) for document in documents}
    library.add(documents)
    for _ in range(150):
        mine = frozenset(chance.sample(groups, chance.randint(0, 4)))
        question = " ".join(chance.sample(TOPICS, 2))
        answer = library.answer(question, groups=mine)
        ranked = library.rank(question, groups=mine)
        assert ranked
        for seen in {found.article_id for found in answer.citations} | {found.article_id for found in ranked}:
            assert not access[seen] or access[seen] & mine
        for document in documents:
            if access[document.article_id] and not access[document.article_id] & mine:
                assert f"secret{document.article_id[1:]}." not in answer.text


@pytest.mark.parametrize("access", [None, "hr", ["hr", ""], [None], [1], {"hr": 1}, [" "]])
def test_malformed_access_is_refused_to_everybody(access: object) -> None:
    assert not may_see(frozenset({"hr", "", " ", "h"}), access)


def test_access_that_became_malformed_in_sql_is_refused(library: Library, article: MakeArticle) -> None:
    library.add([article("pay", "Payroll", "Payroll runs on Friday.")])
    with library.database.transaction() as session:
        session.execute(update(ArticleVersion).values(access=["hr", ""]))
    assert library.answer("payroll", groups=frozenset({"hr", ""})).text == ""


def test_a_document_with_malformed_access_is_not_added(library: Library, article: MakeArticle) -> None:
    with pytest.raises(KnowledgeError, match="pay: access"):
        library.add([article("pay", "Payroll", "Payroll runs on Friday.", access=("",))])
    assert library.rank("payroll") == []


def test_what_is_revoked_or_removed_is_gone_from_the_next_question_though_the_index_is_stale(
    new_library: NewLibrary, article: MakeArticle
) -> None:
    owner, editor = new_library(), new_library()
    public = article("pay", "Payroll", "1. Payroll runs on Friday.")
    owner.add([public, article("badge", "Badge", "Get a badge at the desk.")])
    passage = owner.answer("payroll friday").passage_ids[0]

    editor.add([replace(public, access=("hr",))])
    assert "Friday" not in owner.answer("payroll friday").text
    with pytest.raises(NotAllowed):
        owner.full_steps("pay", passage, frozenset())
    assert "Friday" in editor.answer("payroll friday", groups=frozenset({"hr"})).text

    owner.refresh()
    editor.retire("handbook", {"badge"})
    assert all(found.article_id != "pay" for found in owner.rank("payroll friday", groups=frozenset({"hr"})))


def test_an_answer_is_the_same_whether_or_not_a_forbidden_article_exists(
    new_library: NewLibrary, article: MakeArticle
) -> None:
    library = new_library()
    library.add([article(topic, f"About the {topic}", f"The {topic} is at the desk.") for topic in TOPICS])
    questions = [f"where is the {topic} and the merger" for topic in TOPICS]

    def answers() -> list[object]:
        return [replace(library.answer(question, groups=frozenset({"it"})), timings_ms={}) for question in questions]

    before = answers()
    library.add(
        [article(f"x{n}", "The merger", f"The merger of printer {n} is secret.", access=("hr",)) for n in range(9)]
    )
    assert answers() == before
