"""How honest Deskmate is when the article is missing: the withheld test.

    python -m bench.withheld HOME

HOME is a home with all articles of `kb/` ingested; it is copied and not changed. In the copy the labelled articles of
every second question of `kb_navtitles` are taken back. Then all its questions and those of `out_of_scope.jsonl` go the
way of `deskmate ask --batch`, with a calibration made of the other folds' questions (five folds, by question): as they
are, and with the article that answers them left out of the hits. An answer is right when the article that it quotes is
labelled for the question. Prints a Markdown table, and writes it into docs/quality.md with `--write`.
"""

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from bench.knowledge_base import share, shared_data, table
from bench.report import DOCS, put_between_markers
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
from store.migrating import migrate

COMMAND = "python -m bench.withheld"


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


@contextmanager
def copied(home: Path) -> Iterator[Library]:
    """A library over a copy of the home, without the labelled articles of every second question."""
    with tempfile.TemporaryDirectory(prefix="deskmate-withheld-") as folder:
        copy = Path(shutil.copytree(home, Path(folder) / "home"))
        (copy / "calibration.json").unlink(missing_ok=True)
        database = Database.at(f"sqlite:///{copy / 'deskmate.sqlite'}")
        try:
            migrate(database)
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


def measure(library: Library) -> list[Told]:
    """What became of each question, judged by a calibration that was made of others."""
    asked = questions()
    gone = withheld(asked)
    everything = [*asked, *out_of_scope()]
    of_each = examples(library, everything)
    folds = folds_of([each.text for each in everything])
    desk = Asking(library, Router(library.encode, ROUTINES), library.database)
    told = []
    for fold in range(FOLDS):
        learnt = [example for made, number in zip(of_each, folds, strict=True) if number != fold for example in made]
        made_of = f"the withheld test, without fold {fold}"
        library.use(fit(learnt, embedder="all-MiniLM-L6-v2", now=utc_now(), made_of=made_of).calibration)
        for each, number in zip(everything, folds, strict=True):
            if number == fold:
                result = ask(desk, each.text, STRANGER)
                cited = [citation["article_id"] for citation in result["citations"][:1]]
                kind = "out of scope" if not each.answers else "withheld" if each.answers <= gone else "answerable"
                right = bool(cited) and cited[0] in each.answers
                told.append(Told(kind, result["outcome"], right, result["confidence"]))
    return told


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


def main(home: Path, *, write: bool) -> None:
    with copied(home) as library:
        told = measure(library)
    part = report(told)
    print(part)
    print(Counter((each.kind, each.outcome) for each in told), file=sys.stderr)
    if write:
        put_between_markers(DOCS / "quality.md", COMMAND, part)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"Usage: {COMMAND} HOME [--write]")
    main(Path(sys.argv[1]), write="--write" in sys.argv)
