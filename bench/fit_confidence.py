"""Fits the coefficients of `knowledge/confidence.py` on labelled questions, and says how well they do.

    python -m bench.fit_confidence DATA HOME

DATA is the data folder with `kb/` and `retrieval/`; HOME keeps the knowledge base made of it (embedding it takes ten
minutes the first time). Right: the labelled article is ranked first (questions whose article comes later are left
out, as near twins are common and only one is labelled). Wrong: the same questions with their article withheld, and
questions out of scope. All of it with the whole knowledge base, with small ones of 40 articles drawn from it, and
with the threads of `stackfaq`, whose questions are people's paraphrases. Cross-validated by question; the mix assumed
is 60 % answerable, 25 % about something that an article is missing for, 15 % out of scope.
"""

import json
import random
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # ships no stubs
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]  # ships no stubs
from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]  # ships no stubs
from sqlalchemy import select

from knowledge.articles import Document
from knowledge.catalogue import Catalogue, catalogue_after, vectors_of
from knowledge.chunking import CHUNKER_VERSION
from knowledge.confidence import features
from knowledge.embedder import Embedder, exported_model
from knowledge.exact_index import ExactIndex
from knowledge.library import Library
from knowledge.records import Article, Passage
from knowledge.retrieval import Hit, Question, allowed_hits, best_per_article, sparse_candidates
from knowledge.settings import KnowledgeSettings
from knowledge.sparse import SparseIndex, Words
from store import Base, Database

MIX = {"right": 0.60, "missing": 0.25, "out of scope": 0.15}
SMALL, SMALL_BASES = 40, 12
WRONG_AMONG_ANSWERED = 0.05


@dataclass(frozen=True)
class Example:
    question: str
    base: str  # "whole", "small" or "paraphrased"
    kind: str  # a key of MIX
    values: tuple[float, ...]


def documents(data: Path) -> Iterator[Document]:
    for line in (data / "kb" / "index.jsonl").read_text().splitlines():
        row = json.loads(line)
        text = (data / "kb" / row["file"]).read_text(errors="replace")
        front = re.match(r"---\s*\n(.*?)\n---\s*\n", text, re.DOTALL)
        try:
            told = (yaml.safe_load(front[1]) or {}) if front else {}
        except yaml.YAMLError:
            told = {}
        yield Document(
            article_id=row["id"],
            title=row["title"],
            markdown=text[front.end() :] if front else text,
            url=None,
            access=(),
            owner=None,
            description=str(told.get("description") or "") or None,
            source="kb",
            content_hash="",
            updated_at=None,
        )


def labelled(data: Path, known: Iterable[str]) -> dict[str, str]:
    """Question -> the article that answers it."""
    faq = jsonl(data / "retrieval" / "faq" / "queries.jsonl")
    result = answers_of(data, "kb_navtitles") | {row["text"]: row["kb_id"] for row in faq if row.get("kb_id")}
    there = set(known)
    return {question: article for question, article in result.items() if article in there}


def answers_of(data: Path, name: str) -> dict[str, str]:
    folder = data / "retrieval" / name
    texts = {row["_id"]: row["text"] for row in jsonl(folder / "queries.jsonl")}
    lines = (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]
    return {texts[question]: article for question, article, _ in (line.split("\t") for line in lines)}


def stackfaq(data: Path) -> Iterator[Document]:
    for row in jsonl(data / "retrieval" / "stackfaq" / "corpus.jsonl"):
        yield Document(row["_id"], row["title"], row["text"], None, (), None, None, "stackfaq", "", None)


def jsonl(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


class Searched:
    """A knowledge base, whole or of some articles, searched as the library does."""

    def __init__(self, database: Database, embedder: Embedder, catalogue: Catalogue, vectors: Mapping[int, np.ndarray]):
        self.database, self.catalogue, self.generation = database, catalogue, f"{embedder.name}.c{CHUNKER_VERSION}"
        self.index = ExactIndex(embedder.dimension)
        self.index.synchronise(catalogue.passages, lambda ids: {key: vectors[key] for key in ids})

    def ranked(self, question: Question) -> list[Hit]:
        sets = self.catalogue.visible_to(frozenset())
        near = self.index.search(question.vector, sets, 60)
        words, scores = sparse_candidates(self.catalogue, sets, question, 60)
        with self.database.reading() as session:
            hits = allowed_hits(
                session,
                sorted({hit.passage for hit in near} | set(words)),
                question,
                groups=frozenset(),
                generation=self.generation,
                catalogue=self.catalogue,
                scores=scores,
            )
        return best_per_article(hits)


def judged(question: str, ranked: list[Hit], article: str | None, base: str) -> Iterator[Example]:
    def example(kind: str, hits: list[Hit]) -> Example:
        return Example(question, base, kind, tuple(features(hits).values()))

    if not ranked:
        return
    if article is None:
        yield example("out of scope", ranked)
        return
    place = next((number for number, hit in enumerate(ranked) if hit.article_id == article), None)
    if place == 0:
        yield example("right", ranked)
    withheld = [hit for hit in ranked if hit.article_id != article]
    if withheld:
        yield example("missing", withheld)


def main(data: Path, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    database = Database.at(f"sqlite:///{home / 'd.sqlite'}")
    Base.metadata.create_all(database.engine)
    settings = KnowledgeSettings(home=home)
    with Library(database, settings) as library:
        library.add(
            chain(documents(data), stackfaq(data)), progress=lambda done: print(done, end="\r", file=sys.stderr)
        )
    embedder, words = Embedder(exported_model("", settings.models)), Words()
    with database.reading() as session:
        everything = whole = catalogue_after(session, f"{embedder.name}.c{CHUNKER_VERSION}", Catalogue())
        vectors = vectors_of(session, list(whole.terms), embedder.dimension)
        passages: dict[str, list[int]] = defaultdict(list)
        for passage, article in session.execute(
            select(Passage.id, Article.article_id).join(Article, Passage.article == Article.id)
        ):
            passages[article].append(passage)
    threads = {row["_id"] for row in jsonl(data / "retrieval" / "stackfaq" / "corpus.jsonl")}
    thread_ids = sorted(key for article in threads for key in passages.pop(article))
    questions = labelled(data, passages)
    off_topic = [row["text"] for row in jsonl(data / "retrieval" / "out_of_scope.jsonl")]
    asked = {
        text: Question(embedder.encode_question(text), words.of_question(text)) for text in [*questions, *off_topic]
    }

    whole = part_of(whole, [key for ids in passages.values() for key in ids])
    base = Searched(database, embedder, whole, vectors)
    examples: list[Example] = []
    at_one = 0
    for text, question in asked.items():
        ranked = base.ranked(question)
        at_one += bool(ranked) and ranked[0].article_id == questions.get(text)
        examples += judged(text, ranked, questions.get(text), "whole")
    print(f"whole: {len(passages)} articles, {len(whole.terms)} passages, hit@1 {at_one / len(questions):.3f}")

    chance = random.Random(5)
    answered_by = defaultdict(list)
    for text, article in questions.items():
        answered_by[article].append(text)
    for _ in range(SMALL_BASES):
        chosen = chance.sample(sorted(answered_by), SMALL)
        ids = sorted(passage for article in chosen for passage in passages[article])
        base = Searched(database, embedder, part_of(whole, ids), vectors)
        inside = [text for article in chosen for text in answered_by[article]]
        outside = chance.sample([text for text, article in questions.items() if article not in chosen], len(inside))
        for text in inside:
            examples += judged(text, base.ranked(asked[text]), questions[text], "small")
        for text in outside:
            examples += judged(text, base.ranked(asked[text]), "an article that isn't there", "small")
        for text in chance.sample(off_topic, len(inside)):
            examples += judged(text, base.ranked(asked[text]), None, "small")
    base = Searched(database, embedder, part_of(everything, thread_ids), vectors)
    paraphrases = answers_of(data, "stackfaq")
    for text, article in paraphrases.items():
        question = Question(embedder.encode_question(text), words.of_question(text))
        examples += judged(text, base.ranked(question), article, "paraphrased")
    for text in off_topic:
        examples += judged(text, base.ranked(asked[text]), None, "paraphrased")
    fit(examples)


def part_of(catalogue: Catalogue, ids: Sequence[int]) -> Catalogue:
    terms = {key: catalogue.terms[key] for key in ids}
    return Catalogue(0, {"": frozenset()}, {"": SparseIndex(terms)}, terms)


def fit(examples: list[Example]) -> None:
    values = np.array([example.values for example in examples])
    right = np.array([example.kind == "right" for example in examples])
    cells = [(example.base, example.kind) for example in examples]
    weights = np.array([MIX[kind] / cells.count((base, kind)) for base, kind in cells])
    weights *= len(examples) / weights.sum()
    numbers = {text: number for number, text in enumerate(dict.fromkeys(example.question for example in examples))}
    questions = [numbers[example.question] for example in examples]
    predicted = np.zeros(len(examples))
    for train, test in GroupKFold(5).split(values, right, questions):
        model = LogisticRegression(C=100, max_iter=2000).fit(values[train], right[train], sample_weight=weights[train])
        predicted[test] = model.predict_proba(values[test])[:, 1]
    threshold = next(
        level
        for level in np.arange(0.3, 0.99, 0.01)
        if weights[(predicted >= level) & ~right].sum() <= WRONG_AMONG_ANSWERED * weights[predicted >= level].sum()
    )
    print(f"threshold {threshold:.2f}")
    for base in ("whole", "small", "paraphrased"):
        here = np.array([example.base == base for example in examples])
        answered = here & (predicted >= threshold)
        wrong = weights[answered & ~right].sum() / weights[answered].sum()
        shares = {
            kind: f"{np.mean(predicted[here & np.array([e.kind == kind for e in examples])] >= threshold):.3f}"
            for kind in MIX
        }
        area = roc_auc_score(right[here], predicted[here], sample_weight=weights[here])
        print(f"{base}: n={here.sum()} AUROC {area:.3f}, wrong among answered {wrong:.3f}, answered of {shares}")
    model = LogisticRegression(C=100, max_iter=2000).fit(values, right, sample_weight=weights)
    names = ("score", "margin", "coverage", "cosine")
    print("INTERCEPT =", round(float(model.intercept_[0]), 3))
    print("COEFFICIENTS =", {name: round(float(value), 3) for name, value in zip(names, model.coef_[0], strict=True)})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
