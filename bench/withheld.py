"""How honest Deskmate is when the article is missing: the withheld test.

    python -m bench.withheld [HOME] [--write]

HOME keeps all articles of `kb/` (embedding them takes about ten minutes the first time); it is copied, and in the copy
the labelled articles of every second question of `kb_navtitles` are taken back. Then all its questions and those of
`out_of_scope.jsonl` go the way of `deskmate ask --batch`, with a calibration made of the other folds' questions (five
folds, by question): as they are, and with the article that answers them left out of the hits. An answer is right when
the article that it quotes is labelled for the question. Prints a Markdown table; with `--write` it goes into
docs/quality.md, with two pictures.
"""

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import select

from bench.knowledge_base import REPOSITORY, library_over, share, shared_data, table
from bench.report import COLOURS, DOCS, picture, put_between_markers
from bot.routing import Router
from bot.workflows.register import ROUTINES
from deskmate.asking import STRANGER, ask
from deskmate.wiring import Asking
from knowledge.articles import next_change, tombstone
from knowledge.calibrating import FOLDS, Example, fit, folds_of
from knowledge.collection import collection
from knowledge.json_lines import objects_of
from knowledge.library import Library
from knowledge.records import Article
from knowledge.settings import KnowledgeSettings
from store import Database, utc_now

COMMAND = "python -m bench.withheld"
PICTURE = "![Said and found probability; wrong answers as more is answered](images/reliability.svg)"
BINS = 10


@dataclass(frozen=True)
class Asked:
    """A question with the articles that answer it; none: out of scope."""

    text: str
    answers: frozenset[str]


@dataclass(frozen=True)
class Told:
    kind: str
    outcome: str
    right: bool
    confidence: float


@dataclass(frozen=True)
class Guessed:
    """How likely the best article was said to answer a question, by a calibration that didn't see it, and whether it
    does."""

    probability: float
    right: bool


@contextmanager
def copied(home: Path) -> Iterator[Library]:
    """A library over a copy of the home, without the labelled articles of every second question."""
    with tempfile.TemporaryDirectory(prefix="deskmate-withheld-") as folder:
        copy = Path(shutil.copytree(home, Path(folder) / "home"))
        database = Database.at(f"sqlite:///{copy / 'bench.sqlite'}")
        try:
            gone = withheld(questions())
            with database.transaction() as session:
                sources: dict[str, set[str]] = {}
                for source, article in session.execute(select(Article.source, Article.article_id)):
                    sources.setdefault(source, set()).add(article)
                for source, articles in sources.items():
                    tombstone(session, source, articles - gone, change=next_change(session))
            with Library(database, KnowledgeSettings(home=copy)) as library:
                library.warm()
                yield library
        finally:
            database.close()


def questions() -> list[Asked]:
    given = collection(shared_data("retrieval/kb_navtitles"))
    return [
        Asked(each.text, frozenset(name for name, relevance in given.qrels[each.id].items() if relevance > 0))
        for each in given.queries
    ]


def withheld(asked: Sequence[Asked]) -> set[str]:
    """The labelled articles of every second question."""
    return {article for each in asked[1::2] for article in each.answers}


def out_of_scope() -> list[Asked]:
    return [Asked(str(row["text"]), frozenset()) for _, row in objects_of(shared_data("retrieval/out_of_scope.jsonl"))]


def examples(library: Library, asked: Sequence[Asked]) -> list[list[Example]]:
    """Of each question. Those without the article that is there are learnt from, and count for no bar: there are
    enough whose article is really gone."""
    result = []
    for each in asked:
        judged = library.judged(each.text, each.answers)
        result.append(
            [
                Example(
                    each.text,
                    "out of scope" if not each.answers else "asked" if one.kind == "asked" else "withheld",
                    one.features,
                    one.right,
                    one.among,
                    weight=float(one.kind == "asked"),
                )
                for one in judged
            ]
        )
    return result


def measure(library: Library) -> tuple[list[Told], list[Guessed]]:
    """What became of each question, judged by a calibration that was made of others, and how sure that was."""
    asked = questions()
    gone = withheld(asked)
    everything = [*asked, *out_of_scope()]
    of_each = examples(library, everything)
    folds = folds_of([each.text for each in everything])
    desk = Asking(library, Router(library.encode, ROUTINES), library.database)
    told, guessed = [], []
    for fold in range(FOLDS):
        learnt = [example for made, number in zip(of_each, folds, strict=True) if number != fold for example in made]
        made_of = f"the withheld test, without fold {fold}"
        calibration = fit(learnt, embedder=library.embedder, now=utc_now(), made_of=made_of).calibration
        library.use(calibration)
        for each, number, made in zip(everything, folds, of_each, strict=True):
            if number == fold:
                guessed += [Guessed(calibration.probability(one.features), one.right) for one in made if one.weight]
                result = ask(desk, each.text, STRANGER)
                cited = [citation["article_id"] for citation in result["citations"][:1]]
                kind = "out of scope" if not each.answers else "withheld" if each.answers <= gone else "answerable"
                right = bool(cited) and cited[0] in each.answers
                told.append(Told(kind, result["outcome"], right, result["confidence"]))
    return told, guessed


def report(told: Sequence[Told]) -> str:
    asked = Counter(each.kind for each in told)
    given = [each for each in told if each.outcome == "answered"]
    answered = Counter(each.kind for each in given)
    right = sum(each.right for each in given)

    def counted(kind: str) -> tuple[int, str]:
        return answered[kind], share(answered[kind], asked[kind])

    rows: list[list[str | int]] = [
        ["of the answers wrong", len(given) - right, share(len(given) - right, len(given)), "at most 5 %"],
        ["of the answerable answered rightly", right, share(right, asked["answerable"]), "at least 70 %"],
        ["of the out-of-scope questions answered", *counted("out of scope"), "at most 0.5 %"],
        ["of the withheld questions answered", *counted("withheld"), "at most 3 %"],
    ]
    head = f"{asked['answerable']} answerable, {asked['withheld']} withheld, {asked['out of scope']} out of scope"
    return table([head, "number", "share", "aimed at"], rows)


def draw(guessed: Sequence[Guessed]) -> None:
    """How often what was said to be so likely is right; how often an answer is wrong, the more questions get one."""
    probability = np.array([each.probability for each in guessed])
    right = np.array([each.right for each in guessed])
    bins = np.minimum((BINS * probability).astype(int), BINS - 1)
    filled = [number for number in range(BINS) if (bins == number).any()]
    with picture("reliability.svg", panels=2, height=4) as (left, other):
        left.plot([0, 1], [0, 1], ":", color=COLOURS[4])
        left.plot(
            [probability[bins == number].mean() for number in filled],
            [right[bins == number].mean() for number in filled],
            "o-",
            color=COLOURS[0],
        )
        for number in filled:
            place = (probability[bins == number].mean(), right[bins == number].mean())
            left.annotate(f"{(bins == number).sum()}", place, (4, -10), textcoords="offset points", fontsize=7)
        left.set_xlabel("said to be right with probability")
        left.set_ylabel("share that is right (with their number)")
        wrong = np.cumsum(~right[np.argsort(-probability, kind="stable")]) / np.arange(1, len(right) + 1)
        other.plot(100 * np.arange(1, len(right) + 1) / len(right), 100 * wrong, color=COLOURS[0])
        other.axhline(5, linestyle=":", color=COLOURS[4])
        other.set_xlabel("% of all questions answered, the surest first")
        other.set_ylabel("% of the answers wrong")


def main(home: Path, *, write: bool) -> None:
    with library_over(shared_data("kb/articles"), home):
        pass
    with copied(home) as library:
        told, guessed = measure(library)
    part = report(told)
    print(part)
    print(Counter((each.kind, each.outcome) for each in told), file=sys.stderr)
    if write:
        draw(guessed)
        put_between_markers(DOCS / "quality.md", COMMAND, f"{part}\n\n{PICTURE}")


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:] if argument != "--write"]
    main(*given or [REPOSITORY / ".deskmate" / "bench" / "kb"], write="--write" in sys.argv)
