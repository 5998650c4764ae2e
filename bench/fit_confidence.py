"""Fits the calibration that is shipped (`knowledge/calibration.json`) on labelled questions, and says how well it does.

    python -m bench.fit_confidence DATA HOME

DATA is the data folder with `kb/` and `retrieval/`; HOME keeps the knowledge base made of it (embedding it takes
fifteen minutes the first time). Right: the labelled article is among the cited (up to three that come close to the
best). Wrong: it isn't; the same questions with their article withheld, unless a near twin of it comes first; questions
about an article that the base never had; questions out of scope. Asked of the whole of kb/, of small bases drawn from
it (alone and with near neighbours), as labelled and as people ask, and of four other sets, whose questions are
people's. Cross-validated by question. The bars are where a share of the out-of-scope questions is answered; the sample
questions of the repository are not used.
"""

import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # ships no stubs
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]  # ships no stubs
from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]  # ships no stubs
from sqlalchemy import select

from bench.labelled_questions import answers_of, as_people_ask, documents, jsonl, labelled, other_documents
from knowledge.calibrating import bars as bars_of
from knowledge.calibration import SHIPPED, Calibration
from knowledge.catalogue import Catalogue, catalogue_after, terms_of, vectors_of
from knowledge.chunking import CHUNKER_VERSION
from knowledge.confidence import FEATURES, SMALL, features
from knowledge.contrast import contrast_of
from knowledge.embedder import Embedder, exported_model
from knowledge.exact_index import ExactIndex
from knowledge.library import Library, cited
from knowledge.records import Article, ArticleVersion, Passage
from knowledge.retrieval import CANDIDATES, Hit, Question, allowed_hits, best_per_article, sparse_candidates
from knowledge.settings import KnowledgeSettings
from knowledge.sparse import SparseIndex, Words
from knowledge.vectors import Vectors
from store import Base, Database, utc_now

MIX = {"answerable": 0.60, "missing": 0.10, "absent": 0.05, "out of scope": 0.35}
WEIGHTS = {
    "whole": 0.7,
    "whole, as people ask": 0.7,
    "small": 0.7,
    "small, as people ask": 1.5,
    "stackfaq": 1.5,
    "techqa": 0.5,
    "faq": 0.7,
    "askubuntu_unix": 0.7,
}
SMALL_BASES = tuple((size, twins) for twins in ((0,), (0, 1, 2, 3), (0, 1, 2, 3)) for size in (40, 60, 80, 100))
OTHER_BASES = {"stackfaq": (72, 45, 45), "techqa": (60, 80), "faq": (50, 70, 100), "askubuntu_unix": (60, 80, 80)}
LEARNT = FEATURES[:8]  # of the others, a base of another size would need others
TWIN = 0.75  # cosine of two passages from which on one stands for the other
OFF_TOPIC_OF_WHOLE, OFF_TOPIC_OF_SMALL = 0.0075, 0.03  # shares answered


@dataclass(frozen=True)
class Example:
    question: str
    base: str
    kind: str  # "right", "wrong", or a key of MIX but "answerable"
    values: tuple[float, ...]


class Searched:
    """A knowledge base of some passages, searched as the library does."""

    def __init__(self, of: "Everything", ids: Sequence[int]):
        self.of = of
        terms = {key: of.terms[key] for key in sorted(ids)}
        self.catalogue = Catalogue(0, {"": frozenset()}, {"": SparseIndex(terms)})
        self.index = ExactIndex(of.embedder.dimension)
        self.index.synchronise(self.catalogue.passages, self.fetch)
        self.contrast = contrast_of(list(self.catalogue.passages.values()), self.fetch, of.embedder.dimension)

    def fetch(self, wanted: Sequence[int]) -> dict[int, Vectors]:
        return {key: self.of.vectors[key] for key in wanted}

    def hits(self, question: Question) -> list[Hit]:
        sets = self.catalogue.visible_to(frozenset())
        near = self.index.search(self.contrast.towards(question.vector), sets, CANDIDATES)
        words = sparse_candidates(self.catalogue, sets, question, CANDIDATES)
        with self.of.database.reading() as session:
            return allowed_hits(
                session,
                sorted({hit.passage for hit in near} | set(words)),
                question,
                contrast=self.contrast,
                groups=frozenset(),
                generation=self.of.generation,
                catalogue=self.catalogue,
                access_sets=sets,
            )


@dataclass
class Everything:
    """All that was ingested, and the examples made of it."""

    database: Database
    embedder: Embedder
    words: Words
    off_topic: list[str]
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    asked: dict[str, Question] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.generation = f"{self.embedder.name}.c{CHUNKER_VERSION}"
        self.passages: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self.titles: dict[str, str] = {}
        with self.database.reading() as session:
            self.catalogue = catalogue_after(session, self.generation, Catalogue())
            ids = [int(passage) for found in self.catalogue.passages.values() for passage in found]
            self.terms = terms_of(session, ids)
            self.vectors = vectors_of(session, ids, self.embedder.dimension)
            for passage, article, source, title in session.execute(
                select(Passage.id, Article.article_id, Article.source, ArticleVersion.title)
                .join(Article, Passage.article == Article.id)
                .join(ArticleVersion, Passage.version == ArticleVersion.id)
            ):
                self.passages[source][article].append(passage)
                self.titles[article] = title

    def question(self, text: str) -> Question:
        if text not in self.asked:
            self.asked[text] = Question(self.embedder.encode_question(text), self.words.of_question(text))
        return self.asked[text]

    def ask(
        self,
        base: str,
        articles: Mapping[str, Sequence[int]],
        answers: Mapping[str, str],
        absent: Sequence[str],
        off_topic: int,
    ) -> None:
        """Adds the examples of one base: its questions, some about what it never had, some out of scope."""
        searched = Searched(self, list(chain.from_iterable(articles.values())))
        told: list[tuple[str, str | None, str]] = [(text, article, "") for text, article in answers.items()]
        told += [(text, None, "absent") for text in absent]
        told += [(text, None, "out of scope") for text in self.chance.sample(self.off_topic, off_topic)]
        for text, article, kind in told:
            self.examples += self._judged(searched, text, text, article, kind, base)
            if f"{base}, as people ask" in WEIGHTS:
                said = as_people_ask(text, self.titles[article] if article else "", self.words, self.chance)
                self.examples += self._judged(searched, text, said, article, kind, f"{base}, as people ask")

    def _judged(
        self, searched: Searched, key: str, text: str, article: str | None, kind: str, base: str
    ) -> Iterator[Example]:
        question = self.question(text)
        hits = searched.hits(question)

        def example(kind: str, hits: Sequence[Hit]) -> Example:
            sets = searched.catalogue.visible_to(frozenset())
            found = features(hits, question, searched.catalogue, self.words, sets)
            return Example(key, base, kind, tuple(found[name] for name in LEARNT))

        if not hits:
            return
        if article is None:
            yield example(kind, hits)
            return
        shown = {hit.article_id for hit in cited(best_per_article(hits))}
        yield example("right" if article in shown else "wrong", hits)
        others = [hit for hit in hits if hit.article_id != article]
        own = [hit.passage for hit in hits if hit.article_id == article]
        if others and not (own and self._nearness(others[0].passage, own) > TWIN):
            yield example("missing", others)

    def _nearness(self, passage: int, others: Sequence[int]) -> float:
        return max(float((self.vectors[other] @ self.vectors[passage].T).max()) for other in others)


def small_base(everything: Everything, answered: Sequence[str], size: int, twins: Sequence[int]) -> list[str]:
    """Articles drawn from those that answer a question, each with some of its nearest neighbours."""
    articles = everything.passages["kb"]
    names = sorted(articles)
    means = np.array([np.mean([everything.vectors[key][0] for key in articles[name]], axis=0) for name in names])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    chosen: dict[str, None] = {}
    for article in everything.chance.sample(sorted(answered), len(answered)):
        if len(chosen) >= size:
            break
        chosen[article] = None
        nearest = np.argsort(-(means @ means[names.index(article)]))[1 : 1 + everything.chance.choice(twins)]
        chosen |= {names[place]: None for place in nearest}
    return list(chosen)[:size]


def main(data: Path, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    database = Database.at(f"sqlite:///{home / 'd.sqlite'}")
    Base.metadata.create_all(database.engine)
    settings = KnowledgeSettings(home=home)
    with Library(database, settings) as library:
        library.add(
            chain(documents(data), other_documents(data)),
            progress=lambda done: print(done, end="\r", file=sys.stderr),
        )
    off_topic = [row["text"] for row in jsonl(data / "retrieval" / "out_of_scope.jsonl")]
    everything = Everything(database, Embedder(exported_model("", settings.models)), Words(), off_topic)
    articles, chance = everything.passages["kb"], everything.chance
    answers = labelled(data, articles)
    everything.ask("whole", articles, answers, [], len(off_topic))
    for size, twins in SMALL_BASES:
        chosen = set(small_base(everything, list(set(answers.values())), size, twins))
        inside = {text: article for text, article in answers.items() if article in chosen}
        outside = chance.sample([text for text in answers if text not in inside], len(inside))
        everything.ask("small", {name: articles[name] for name in chosen}, inside, outside, 60)
    for name, sizes in OTHER_BASES.items():
        theirs = everything.passages[name]
        answers = {text: article for text, article in answers_of(data, name).items() if article in theirs}
        for size in sizes:
            chosen = set(chance.sample(sorted(theirs), min(size, len(theirs))))
            inside = {text: article for text, article in answers.items() if article in chosen}
            others = [text for text in answers if text not in inside]
            outside = chance.sample(others, min(len(others), 40))
            everything.ask(name, {key: theirs[key] for key in chosen}, inside, outside, 60)
    fit(everything.examples, len(list(chain.from_iterable(articles.values()))))


def fit(examples: Sequence[Example], passages: int) -> None:
    values = np.array([example.values for example in examples])
    right = np.array([example.kind == "right" for example in examples])
    bases = np.array([example.base for example in examples])
    kinds = np.array([example.kind for example in examples])
    cells = [(example.base, example.kind if example.kind in MIX else "answerable") for example in examples]
    sizes: dict[tuple[str, str], int] = defaultdict(int)
    for cell in cells:
        sizes[cell] += 1
    weights = np.array([WEIGHTS[base] * MIX[kind] / sizes[base, kind] for base, kind in cells])
    weights *= len(examples) / weights.sum()
    spread = values.std(axis=0)  # regularised alike
    numbers = {text: number for number, text in enumerate(dict.fromkeys(example.question for example in examples))}
    questions = [numbers[example.question] for example in examples]

    def model(rows: NDArray[np.int64]) -> LogisticRegression:
        return LogisticRegression(max_iter=2000).fit(values[rows] / spread, right[rows], sample_weight=weights[rows])

    logits = np.zeros(len(examples))
    for train, test in GroupKFold(5).split(values, right, questions):
        logits[test] = model(train).decision_function(values[test] / spread)
    whole = np.char.startswith(bases, "whole")
    off_topic = kinds == "out of scope"
    bar = bar_of(logits[off_topic & ~whole], OFF_TOPIC_OF_SMALL)
    per_size = (bar_of(logits[off_topic & (bases == "whole")], OFF_TOPIC_OF_WHOLE) - bar) / np.log(passages / SMALL)
    bars = np.where(whole, bar + per_size * np.log(passages / SMALL), bar)
    answered = logits >= bars
    for base in WEIGHTS:
        here = bases == base
        wrong = weights[here & answered & ~right].sum() / weights[here & answered].sum()
        shares = {kind: f"{answered[here & (kinds == kind)].mean():.3f}" for kind in sorted({*kinds[here]})}
        area = roc_auc_score(right[here], logits[here], sample_weight=weights[here])
        print(f"{base}: n={here.sum()} AUROC {area:.3f}, wrong among answered {wrong:.3f}, answered of {shares}")
    final = model(np.arange(len(examples)))
    # The bar of a small base becomes .5.
    coefficients = dict(zip(LEARNT, np.round(final.coef_[0] / spread, 3).tolist(), strict=True))
    made = Calibration(
        intercept=round(float(final.intercept_[0]) - bar, 3),
        coefficients=coefficients | {"size": -round(float(per_size), 3)},
        bars=bars_of(1.0 / (1.0 + np.exp(bars - logits)), right, weights),
        asking=0.25,
        made_at=f"{utc_now():%Y-%m-%d}",
        questions=len(numbers),
        embedder="all-MiniLM-L6-v2",
        made_of="bench.fit_confidence: open data, whole and small bases, as labelled and as people ask",
    )
    SHIPPED.write_text(made.as_json() + "\n", encoding="utf-8")
    print(made.as_json())


def bar_of(logits: NDArray[np.float64], share: float) -> float:
    """The level that this share of them reaches."""
    return float(np.quantile(logits, 1 - share))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
