"""What each part of the retrieval brings: every labelled set again, with one part off at a time.

    python -m bench.ablation [--sets NAME...]

The same articles are embedded twice, with their titles and headings and without; both are kept under .deskmate/bench
and not embedded again. With all of its sets it writes the table into docs/quality.md, otherwise it prints it only.
`kb_navtitles` is left out unless it is named: it takes longer than all others together.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import numpy as np

from bench.knowledge_base import shared_data, table
from bench.rankings import NDCG, scored
from bench.report import DOCS, put_between_markers
from bench.retrieval import SETS
from bench.rivals.environment import CACHE
from deskmate.evaluating import document
from knowledge import retrieval, searching
from knowledge.articles import Document
from knowledge.collection import Collection, collection
from knowledge.contrast import contrast_among
from knowledge.generation import Generation
from knowledge.library import Library
from knowledge.retrieval import Hit
from knowledge.settings import KnowledgeSettings
from store import Base, Database

COMMAND = "python -m bench.ablation"
LONGEST = "kb_navtitles"
DEFAULT = tuple(name for name in SETS if name != LONGEST)
DEPTH = 100
DIMENSION = 384
RRF_K = 60  # Cormack, Clarke, Buettcher 2009
HEADING = re.compile(r"^#{1,6} .*$", re.MULTILINE)

Switch = Callable[[ExitStack], None]


@dataclass(frozen=True)
class Variant:
    name: str
    switch: Switch = lambda _: None
    titles: bool = True
    conversation: bool = True


def words_alone(stack: ExitStack) -> None:
    stack.enter_context(patch.object(Hit, "score", property(lambda hit: hit.sparse)))


def vectors_alone(stack: ExitStack) -> None:
    stack.enter_context(patch.object(Hit, "score", property(lambda hit: hit.cosine)))


def ranks_instead_of_scores(stack: ExitStack) -> None:
    """Reciprocal rank fusion of the same candidates."""
    found = retrieval.allowed_hits

    def by_ranks(*args: Any, **named: Any) -> list[Hit]:
        hits = found(*args, **named)
        fused = dict.fromkeys((hit.passage for hit in hits), 0.0)
        for value in ("cosine", "sparse"):
            for rank, hit in enumerate(sorted(hits, key=lambda hit: -float(getattr(hit, value))), 1):
                fused[hit.passage] += 1 / (RRF_K + rank)
        # `score` is read off the two parts, so the fused one takes the place of both.
        ranked = [replace(hit, cosine=fused[hit.passage], sparse=0.0) for hit in hits]
        return sorted(ranked, key=lambda hit: (-hit.score, hit.passage))

    stack.enter_context(patch.object(searching, "allowed_hits", by_ranks))


def without_contrast(stack: ExitStack) -> None:
    stack.enter_context(
        patch.object(Generation, "contrast", lambda *_: contrast_among(np.zeros((0, DIMENSION), np.float32)))
    )


def noise_kept(stack: ExitStack) -> None:
    stack.enter_context(patch.object(searching, "without_noise", lambda text: text))


VARIANTS = (
    Variant("as it is"),
    Variant("without titles and headings", titles=False),
    Variant("vectors alone", vectors_alone),
    Variant("words alone", words_alone),
    Variant("cosines as they are, without contrast", without_contrast),
    Variant("ranks fused (RRF), not scores", ranks_instead_of_scores),
    Variant("greetings, signatures and logs left in", noise_kept),
    Variant("without earlier messages", conversation=False),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=DEFAULT)
    sets = parser.parse_args().sets
    columns = [measured(name) for name in sets]
    rows: list[list[str | int]] = []
    for place, variant in enumerate(VARIANTS):
        values = [column[place] for column in columns]
        differences = [value - column[0] for value, column in zip(values, columns, strict=True)]
        shown = [f"{value:.3f}" if place == 0 else f"{value:+.3f}" for value in (differences if place else values)]
        mean = sum(differences if place else values) / len(sets)
        rows.append([variant.name, *shown, f"{mean:+.3f}" if place else f"{mean:.3f}"])
    part = table([f"{NDCG}, and the difference to it", *sets, "mean"], rows)
    print(part)
    if set(sets) == set(DEFAULT):
        put_between_markers(DOCS / "quality.md", COMMAND, part)


def measured(name: str) -> list[float]:
    """nDCG@10 of each variant, in their order."""
    given = collection(shared_data(f"retrieval/{name}"))
    values = []
    with opened(name, given, titles=True) as whole, opened(name, given, titles=False) as bare:
        for variant in VARIANTS:
            print(f"{name}: {variant.name}", file=sys.stderr, flush=True)
            with ExitStack() as stack:
                variant.switch(stack)
                run = {
                    query.id: {
                        hit.article_id: hit.score
                        for hit in (whole if variant.titles else bare).rank(
                            query.text, earlier=query.earlier if variant.conversation else (), limit=DEPTH
                        )
                    }
                    for query in given.queries
                }
            values.append(float(scored(run, given.qrels)[NDCG].mean()))
    return values


@contextmanager
def opened(name: str, given: Collection, *, titles: bool) -> Iterator[Library]:
    home = CACHE / "ablation" / ("whole" if titles else "bare") / name
    home.mkdir(parents=True, exist_ok=True)
    database = Database.at(f"sqlite:///{home / 'deskmate.sqlite'}")
    try:
        Base.metadata.create_all(database.engine)
        with Library(database, KnowledgeSettings(home=home)) as library:
            documents = [document(each) for each in given.documents]
            library.add(documents if titles else bared(documents))
            yield library
    finally:
        database.close()


def bared(documents: Sequence[Document]) -> list[Document]:
    """Without titles and headings; what has nothing else keeps its title."""
    texts = [HEADING.sub("", each.markdown) for each in documents]
    return [
        replace(each, title="", description=None, markdown=text) if text.strip() else each
        for each, text in zip(documents, texts, strict=True)
    ]


if __name__ == "__main__":
    main()
