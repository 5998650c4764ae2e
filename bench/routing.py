"""How well messages are told apart by a few examples, and what starts a password reset that shouldn't.

    python -m bench.routing [--write]

Each public set of intents: ten examples of each are declared, the rest is asked, with messages that are of none; ours
beside the nearest centroid, by the same vectors. Then the routines as they ship, asked what is none of them. Prints
Markdown for docs/requests.md; with `--write` it is put there. What leaked goes to standard error.
"""

import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.knowledge_base import REPOSITORY, share, shared_data, table
from bench.report import DOCS, put_between_markers
from bot.classifying import Classifier
from bot.examples import IT_MATTERS, NOT_IT
from bot.routing import SURE, Router
from bot.workflows.register import ROUTINES
from knowledge.embedder import Embedder, exported_model
from knowledge.settings import default_cache

COMMAND = "python -m bench.routing"
EXAMPLES = 10
SEEDS = range(3)
MOST = 30
"""Messages of one intent in the two largest sets: embedding them all takes a quarter of an hour."""
FEWEST = 6
"""Messages of an intent that is asked for at all."""
PRECISION = 0.98
BIG = ("clinc150", "banking77")
NO_INTENT = {"oos", "out_of_scope", "NO_NODES_DETECTED"}
LEFT_OUT = {"contentonly", "outofdomain", "inform"}
"""Labels of what depends on the turn before."""
HARD = REPOSITORY / "tests" / "bot" / "hard_negatives.jsonl"
RESET = "password_reset"
OWN_RESETS = {
    ("banking77", "passcode_forgotten"),
    ("bitext_account_SYNTHETIC", "recover_password"),
    ("rasa_helpdesk", RESET),
}
"""Labels of wishes to get into one's own account again."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Asked:
    text: str
    intent: str | None
    trains: bool = True
    asks: bool = True


@dataclass(frozen=True)
class Told:
    """Of one set and seed; shares from 0 to 1."""

    accuracy: float
    rejected: float
    routed: float
    kept: float = 0.0
    precise: float = 0.0


class Encoder:
    """The desk's embedder; what it made is kept in `home`, a file for each list of texts."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._known: dict[str, Vectors] = {}
        self._embedder = cache(lambda: Embedder(exported_model("", default_cache())))

    def load(self, texts: Sequence[str]) -> None:
        name = hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]
        path = self._home / f"{self._embedder().name.replace('/', '-')}-{name}.npy"
        if not path.exists():
            self._home.mkdir(parents=True, exist_ok=True)
            np.save(path, self._embedder().encode(texts))
        self._known.update(zip(texts, np.load(path), strict=True))

    def __call__(self, texts: Sequence[str]) -> Vectors:
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            self._known.update(zip(missing, self._embedder().encode(missing), strict=True))
        return np.stack([self._known[text] for text in texts])


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def label(row: dict[str, Any]) -> str:
    return "+".join(row["intent"]) if isinstance(row["intent"], list) else str(row["intent"])


def intents_of(name: str) -> list[dict[str, Any]]:
    """The set, each message once, at most `MOST` of an intent in the big ones."""
    seen: Counter[str] = Counter()
    texts: set[str] = set()
    kept = []
    for row in rows(shared_data(f"intents/{name}.jsonl")):
        intent = label(row)
        seen[intent] += 1
        few = name not in BIG or intent in NO_INTENT or (name, intent) in OWN_RESETS or seen[intent] <= MOST
        if few and row["text"] not in texts and not {*intent.split("+")} & (LEFT_OUT - {"outofdomain"}):
            texts.add(row["text"])
            kept.append(row)
    return kept


SETS = ("clinc150", "hint3", "banking77", "multidogo_software", "rasa_helpdesk", "bitext_account_SYNTHETIC")


def sets() -> Iterator[tuple[str, list[Asked]]]:
    """Out of scope of a set that has no such messages is what is so in clinc150; HINT3 is three bots, each with what
    was used to train it and what real people then wrote."""
    foreign = [Asked(row["text"], None, trains=False) for row in intents_of("clinc150") if label(row) == "oos"]
    for name in SETS:
        all_rows = intents_of(name)
        for bot in sorted({row.get("bot", "") for row in all_rows}):
            mine = [row for row in all_rows if row.get("bot", "") == bot and label(row) not in LEFT_OUT]
            enough = Counter(label(row) for row in mine)
            asked = [
                Asked(
                    row["text"],
                    None if label(row) in NO_INTENT else label(row),
                    trains=row.get("part") != "test",
                    asks=row.get("part") != "train",
                )
                for row in mine
                if label(row) in NO_INTENT or enough[label(row)] >= FEWEST
            ]
            if all(each.intent for each in asked):
                asked += foreign
            yield f"{name} {bot}".strip(), asked


def split(asked: Sequence[Asked], seed: int) -> tuple[list[Asked], list[Asked]]:
    """Declared and asked: at most ten of an intent are declared, and at most half of those that may be either."""
    random = np.random.default_rng(seed)
    of_intent: dict[str, list[Asked]] = defaultdict(list)
    for each in asked:
        if each.intent and each.trains:
            of_intent[each.intent].append(each)
    declared: list[Asked] = []
    for intent in sorted(of_intent):
        may = of_intent[intent]
        count = min(EXAMPLES, len(may) // 2 if may[0].asks else len(may))
        declared += [may[place] for place in random.permutation(len(may))[:count]]
    intents, taken = {each.intent for each in declared}, {id(each) for each in declared}
    return declared, [
        each for each in asked if each.asks and id(each) not in taken and (not each.intent or each.intent in intents)
    ]


Told_by = Callable[[Sequence[str], Vectors, Vectors], tuple[list[str], NDArray[np.float64]]]


def by_centroid(labels: Sequence[str], examples: Vectors, asked: Vectors) -> tuple[list[str], NDArray[np.float64]]:
    names = sorted(set(labels))
    centres = np.stack([examples[[label == name for label in labels]].mean(axis=0) for name in names])
    similar = asked @ (centres / np.linalg.norm(centres, axis=1, keepdims=True)).T
    return [names[place] for place in similar.argmax(axis=1)], similar.max(axis=1).astype(np.float64)


def judged(best: Sequence[str], sure: NDArray[np.float64], asked: Sequence[Asked], bar: float) -> Told:
    """`routed`: of the messages that have an intent, the most that are rightly routed by any bar that leaves 98 % of
    all that is routed right."""
    right = np.array([label == each.intent for label, each in zip(best, asked, strict=True)])
    within = np.array([each.intent is not None for each in asked])
    order = np.argsort(-sure, kind="stable")
    found = np.cumsum(right[order])
    precise = np.flatnonzero(found / np.arange(1, len(order) + 1) >= PRECISION)
    routed = int(found[precise[-1]]) if len(precise) else 0
    over = sure >= bar
    return Told(
        accuracy=float(right[within].mean()),
        rejected=float((~over[~within]).mean()),
        routed=routed / int(within.sum()),
        kept=float((over & right)[within].mean()),
        precise=float(right[over].mean()) if over.any() else 1.0,
    )


def same_care(sure: NDArray[np.float64], asked: Sequence[Asked], best: Sequence[str], kept: float) -> float:
    """The bar by which this rightly keeps as many as the other does: where their recalls of what is out of scope can
    be compared."""
    right = [value for value, label, each in zip(sure, best, asked, strict=True) if each.intent == label]
    within = sum(each.intent is not None for each in asked)
    count = min(round(kept * within), len(right))
    return sorted(right, reverse=True)[count - 1] if count else np.inf


def measured(asked: Sequence[Asked], seed: int, encode: Encoder) -> tuple[Told, Told]:
    declared, rest = split(asked, seed)
    labels = [str(each.intent) for each in declared]
    examples, vectors = encode([each.text for each in declared]), encode([each.text for each in rest])
    pool = encode([*NOT_IT, *IT_MATTERS])
    guesses = Classifier([*labels, *[None] * len(pool)], np.vstack([examples, pool])).guess(vectors)
    best, sure = [guess.label for guess in guesses], np.array([guess.probability for guess in guesses])
    ours = judged(best, sure, rest, SURE)
    near, nearness = by_centroid(labels, examples, vectors)
    theirs = judged(near, nearness, rest, same_care(nearness, rest, near, ours.kept))
    return ours, theirs


def mean(told: Sequence[Told]) -> Told:
    return Told(*(float(np.mean([getattr(each, name) for each in told])) for name in Told.__dataclass_fields__))


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def public_sets(encode: Encoder) -> str:
    head = ["", "intents", "asked", "out of scope"]
    for name in ("accuracy", "out-of-scope recall", "routed at 98 % precision"):
        head += [f"{name}, %", "centroid"]
    head += ["right among what is over the bar, %"]
    lines: list[list[str | int]] = []
    of_all: list[tuple[Told, Told]] = []
    for name, asked in sets():
        print(name, len(asked), file=sys.stderr, flush=True)
        pairs = [measured(asked, seed, encode) for seed in SEEDS]
        ours, theirs = mean([pair[0] for pair in pairs]), mean([pair[1] for pair in pairs])
        of_all.append((ours, theirs))
        rest = split(asked, 0)[1]
        outside = sum(each.intent is None for each in rest)
        counts: list[str | int] = [len({each.intent for each in rest} - {None}), len(rest) - outside, outside]
        lines.append([name.replace("_", " "), *counts, *figures(ours, theirs)])
    whole = mean([pair[0] for pair in of_all]), mean([pair[1] for pair in of_all])
    return table(head, [*lines, ["mean", "", "", "", *figures(*whole)]])


def figures(ours: Told, theirs: Told) -> list[str]:
    pairs = [(getattr(ours, name), getattr(theirs, name)) for name in ("accuracy", "rejected", "routed")]
    return [percent(value) for pair in pairs for value in pair] + [percent(ours.precise)]


def none_of_them() -> Iterator[tuple[str, list[str]]]:
    """Messages that no label calls a wish for one's own password."""
    for name in (*SETS, "stackexchange_nlu"):
        found = [row["text"] for row in intents_of(name) if (name, label(row)) not in OWN_RESETS]
        yield name.replace("_", " "), found
    yield "out of scope of `kb/`", [row["text"] for row in rows(shared_data("retrieval/out_of_scope.jsonl"))]


def as_shipped(encode: Encoder) -> str:
    router = Router(encode, ROUTINES)

    def starts(text: str) -> bool:
        return begun(text) == RESET

    def begun(text: str) -> str | None:
        return router.route(text).workflow

    lines: list[list[str | int]] = []
    asked = leaked = others = 0
    for name, texts in none_of_them():
        print(name, len(texts), file=sys.stderr, flush=True)
        began = {text: workflow for text in texts if (workflow := begun(text))}
        leaks = [text for text, workflow in began.items() if workflow == RESET]
        lines.append([name, len(texts), len(leaks), len(began) - len(leaks)])
        asked, leaked, others = asked + len(texts), leaked + len(leaks), others + len(began) - len(leaks)
        for text, workflow in began.items():
            print(f"  {workflow}, {name}: {text}", file=sys.stderr)
    lines.append(["all", asked, leaked, others])
    hard = rows(HARD)
    kinds: dict[str, list[str]] = defaultdict(list)
    for row in hard:
        kinds[row["kind"]].append(row["text"])
    of_kind = {kind: [text for text in texts if starts(text)] for kind, texts in kinds.items()}
    wishes = {str(row["kind"]) for row in hard if row["workflow"]}
    for kind, found in of_kind.items():
        wrong = [text for text in kinds[kind] if text not in found] if kind in wishes else found
        for text in wrong:
            print(f"  {'missed' if kind in wishes else 'leak'}, {kind}: {text}", file=sys.stderr)
    hard_lines: list[list[str | int]] = [
        [kind, len(kinds[kind]), len(of_kind[kind]), share(len(of_kind[kind]), len(kinds[kind]))] for kind in kinds
    ]
    labelled = [
        (f"{name.replace('_', ' ')}: {intent}", [row["text"] for row in intents_of(name) if label(row) == intent])
        for name, intent in sorted(OWN_RESETS)
    ]
    for name, texts in labelled:
        started = sum(map(starts, texts))
        hard_lines.append([name, len(texts), started, share(started, len(texts))])
    return "\n\n".join(
        [
            table(["not a wish for one's own password", "asked", "begin a reset", "begin another request"], lines),
            table(["written by us, and wishes of the public sets", "asked", "start a reset", "share"], hard_lines),
        ]
    )


def main(*, write: bool) -> None:
    encode = Encoder(REPOSITORY / ".deskmate" / "bench" / "routing")
    for name in (*SETS, "stackexchange_nlu"):
        encode.load([row["text"] for row in intents_of(name)])
    encode.load([row["text"] for row in rows(shared_data("retrieval/out_of_scope.jsonl"))])
    part = "\n\n".join([public_sets(encode), as_shipped(encode)])
    print(part)
    if write:
        put_between_markers(DOCS / "requests.md", COMMAND, part)


if __name__ == "__main__":
    main(write="--write" in sys.argv)
