"""Fits the calibration that is shipped (`knowledge/calibration.json`) on labelled questions, and says how well it does.

    python -m bench.fit_confidence DATA HOME

DATA is the data folder with `kb/` and `retrieval/`; HOME keeps the knowledge base made of it (embedding it takes
fifteen minutes the first time). Right: the labelled article comes first. Wrong: it doesn't; the same questions with
their article withheld; about an article that the base never had; out of scope. Asked of the whole of
kb/, of small bases drawn from it (alone and with near neighbours), as labelled and as people ask, and of four other
sets, whose questions are people's. In the whole base most is asked that nobody has written about, as in the withheld
test; in the others most is answered, and a near twin in the place of the labelled article counts for neither. Boosted
trees (Friedman 2001), cross-validated by question. The sample questions of the repository are not used.
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
from sklearn.ensemble import GradientBoostingClassifier  # type: ignore[import-untyped]  # ships no stubs
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]  # ships no stubs
from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]  # ships no stubs
from sqlalchemy import select

from bench.labelled_questions import answers_of, as_people_ask, documents, jsonl, labelled, other_documents
from knowledge.calibrating import ERRORS, asking_bar, measured, tree_of
from knowledge.calibrating import bars as bars_of
from knowledge.calibration import NEVER, SHIPPED, Calibration
from knowledge.catalogue import Catalogue, catalogue_after, terms_of, vectors_of
from knowledge.chunking import CHUNKER_VERSION
from knowledge.confidence import FEATURES, SMALL, compared, features
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

MIX = {"answerable": 0.60, "missing": 0.10, "absent": 0.05, "out of scope": 0.25}
MIX_OF_WHOLE = {"answerable": 0.17, "missing": 0.29, "out of scope": 0.54}
WEIGHTS = {
    "whole": 2.0,
    "whole, as people ask": 0.7,
    "small": 0.7,
    "small, as people ask": 1.5,
    "stackfaq": 1.0,
    "techqa": 0.5,
    "faq": 0.7,
    "askubuntu_unix": 0.7,
}
SMALL_BASES = tuple((size, twins) for twins in ((0,), (0, 1, 2, 3), (0, 1, 2, 3)) for size in (40, 60, 80, 100))
OTHER_BASES = {"stackfaq": (72, 45, 45), "techqa": (60, 80), "faq": (50, 70, 100), "askubuntu_unix": (60, 80, 80)}
TREES = {
    "n_estimators": 150,
    "max_depth": 3,
    "learning_rate": 0.08,
    "subsample": 0.5,
    "max_features": 8,
    "min_samples_leaf": 20,
}
TWIN = 0.75  # cosine of two passages from which on one stands for the other
TARGET = 0.05  # share of wrong answers at which large and small bases get the same bar
LARGE = ("whole",)
LITTLE = ("small", "small, as people ask", "stackfaq")  # in the others a second good answer often counts as wrong


@dataclass(frozen=True)
class Example:
    question: str
    base: str
    kind: str  # "right", "among" (not first, but cited), "wrong", "twin", or a key of MIX but "answerable"
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
    near: dict[str, Vectors] = field(default_factory=dict)  # by title
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
            titles = self._near({hit.title for hit in compared(hits)})
            found = features(hits, question, searched.catalogue, self.words, sets, titles)
            return Example(key, base, kind, tuple(found[name] for name in FEATURES))

        if not hits:
            return
        if article is None:
            yield example(kind, hits)
            return
        first, *more = (hit.article_id for hit in cited(best_per_article(hits)))
        yield example("right" if first == article else "among" if article in more else "wrong", hits)
        others = [hit for hit in hits if hit.article_id != article]
        own = [hit.passage for hit in hits if hit.article_id == article]
        if others:
            twin = own and self._nearness(others[0].passage, own) > TWIN
            yield example("twin" if twin else "missing", others)

    def _near(self, titles: set[str]) -> Mapping[str, Vectors]:
        new = sorted(titles - self.near.keys())
        if new:
            self.near |= dict(zip(new, self.embedder.encode(new), strict=True))
        return self.near

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
    given = [each for each in examples if of_whole(each) or each.kind not in ("twin", "among")]
    values = np.array([example.values for example in given])
    right = np.array([example.kind == "right" for example in given])
    among = np.array([example.kind in ("right", "among") for example in given])
    bases = np.array([example.base for example in given])
    whole = np.array([of_whole(example) for example in given])
    kinds = np.array([kind_of(example) for example in given])
    weights = weights_of(bases, kinds, whole)
    numbers = {text: number for number, text in enumerate(dict.fromkeys(example.question for example in given))}
    questions = [numbers[example.question] for example in given]

    def learnt(rows: NDArray[np.int64]) -> GradientBoostingClassifier:
        model = GradientBoostingClassifier(**TREES, random_state=7)
        return model.fit(values[rows], right[rows], sample_weight=weights[rows])

    logits = np.zeros(len(given))
    for train, test in GroupKFold(5).split(values, right, questions):
        logits[test] = learnt(train).decision_function(values[test])
    size = values[:, FEATURES.index("size")]
    regimes = (np.isin(bases, LARGE), np.isin(bases, LITTLE))
    of_whole_bar, of_small_bar = (bar_of(logits[here], right[here], weights[here]) for here in regimes)
    per_size = (of_small_bar - of_whole_bar) / np.log(passages / SMALL)
    logits += per_size * size
    probability = 1.0 / (1.0 + np.exp(-logits))
    bars = [dict(bars_of(probability[here], right[here], weights[here])) for here in regimes]
    for base in WEIGHTS:
        here = bases == base
        answered = here & (probability >= max(each[TARGET] for each in bars))
        wrong = weights[answered & ~right].sum() / weights[answered].sum()
        shares = {kind: f"{answered[here & (kinds == kind)].mean():.3f}" for kind in sorted({*kinds[here].tolist()})}
        area = roc_auc_score(right[here], logits[here], sample_weight=weights[here])
        print(f"{base}: n={here.sum()} AUROC {area:.3f}, wrong among answered {wrong:.3f}, answered of {shares}")
    final = learnt(np.arange(len(given)))
    prior = float(final.init_.class_prior_[1])
    made = Calibration(
        intercept=round(float(np.log(prior / (1 - prior))), 4),
        coefficients={"size": round(float(per_size), 4)},
        trees=tuple(tree_of(each.tree_, final.learning_rate) for each in final.estimators_[:, 0]),
        bars=tuple((error, max(each.get(error, NEVER) for each in bars)) for error in ERRORS if error in bars[0]),
        asking=asking_bar(probability, among, weights),
        made_at=f"{utc_now():%Y-%m-%d}",
        questions=len(numbers),
        embedder="all-MiniLM-L6-v2",
        made_of="bench.fit_confidence: open data, whole and small bases, as labelled and as people ask",
        measured=measured(probability, right, weights),
    )
    SHIPPED.write_text(made.as_json() + "\n", encoding="utf-8")
    print(made.measured, f"asking from {made.asking}, answering from {made.bar(TARGET)}, size {per_size:.3f}")


def of_whole(example: Example) -> bool:
    return example.base.startswith("whole")


def kind_of(example: Example) -> str:
    """As in the mix; only of the whole base there are twins here."""
    if example.kind in ("right", "among", "wrong"):
        return "answerable"
    return "missing" if example.kind == "twin" else example.kind


def weights_of(bases: NDArray[np.str_], kinds: NDArray[np.str_], whole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """So that each base has its weight, and in it each kind its share."""
    weights = np.zeros(len(bases))
    for mix, those in ((MIX, ~whole), (MIX_OF_WHOLE, whole)):
        for base, weight in WEIGHTS.items():
            for kind, share in mix.items():
                here = those & (bases == base) & (kinds == kind)
                weights[here] = weight * share / max(here.sum(), 1)
    return np.asarray(weights * len(bases) / weights.sum())


def bar_of(logits: NDArray[np.float64], right: NDArray[np.bool_], weights: NDArray[np.float64]) -> float:
    """The level from which on the share of wrong ones is `TARGET`."""
    order = np.argsort(-logits)
    wrong = np.cumsum((weights * ~right)[order]) / np.cumsum(weights[order])
    return float(logits[order][np.flatnonzero(wrong <= TARGET)[-1]])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
