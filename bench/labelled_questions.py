"""Articles and the questions that they answer, from the data folder: what `bench.fit_confidence` learns from."""

import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from knowledge.articles import Document
from knowledge.json_lines import objects_of
from knowledge.sparse import Words

OTHER_SETS = {"stackfaq": None, "techqa": None, "faq": None, "askubuntu_unix": 400}  # documents taken of each

# What people put around a question. The labels of kb/ are bare ("Set up a printer"), people's messages aren't.
AROUND = (
    "hi,",
    "hello, quick question:",
    "since this morning",
    "since the update",
    "can somebody help me please",
    "its urgent, i have a meeting in ten minutes",
    "i tried a restart already and nothing changed",
    "my colleague says it works for her",
    "no idea what to do",
    "sorry if this was asked before",
    "it worked yesterday",
    "whats wrong here",
    "i sit at home today",
    "the new guy in my team asks",
    "thanks!",
    "i swear i did everything right",
    "at my desk on the second floor",
    "for my boss",
    "what now",
    "again",
    "pls help",
    "and i dont know whom to ask",
    "i'm not good with computers",
    "so annoying",
)
TITLE_WORDS_LOST = 0.35


def jsonl(path: Path) -> list[dict[str, str]]:
    return [row for _, row in objects_of(path)]


def documents(data: Path) -> Iterator[Document]:
    for row in jsonl(data / "kb" / "index.jsonl"):
        text = (data / "kb" / row["file"]).read_text(errors="replace")
        front = re.match(r"---\s*\n(.*?)\n---\s*\n", text, re.DOTALL)
        try:
            told = (yaml.safe_load(front[1]) or {}) if front else {}
        except yaml.YAMLError:
            told = {}
        description = str(told.get("description") or "") or None
        body = text[front.end() :] if front else text
        yield Document(row["id"], row["title"], body, None, (), None, description, "kb", "", None)


def other_documents(data: Path) -> Iterator[Document]:
    for name, limit in OTHER_SETS.items():
        rows = jsonl(data / "retrieval" / name / "corpus.jsonl")
        for row in random.Random(3).sample(rows, limit) if limit else rows:
            yield Document(row["_id"], row.get("title") or "", row["text"], None, (), None, None, name, "", None)


def labelled(data: Path, known: Iterable[str]) -> dict[str, str]:
    """Question -> the article of kb/ that answers it."""
    faq = jsonl(data / "retrieval" / "faq" / "queries.jsonl")
    result = answers_of(data, "kb_navtitles") | {row["text"]: row["kb_id"] for row in faq if row.get("kb_id")}
    there = set(known)
    return {question: article for question, article in result.items() if article in there}


def answers_of(data: Path, name: str) -> dict[str, str]:
    folder = data / "retrieval" / name
    rows = jsonl(folder / "queries.jsonl")
    texts = {row["_id"]: f"{row.get('title', '')} {row['text']}".strip() for row in rows}
    lines = (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]
    return {texts[question]: article for question, article, _ in (line.split("\t") for line in lines)}


def as_people_ask(question: str, title: str, words: Words, chance: random.Random) -> str:
    """The question with something around it, and without some of the words that stand in the article's title."""
    told = set(words.numbers(title))
    kept = [
        word for word in question.split() if told.isdisjoint(words.numbers(word)) or chance.random() >= TITLE_WORDS_LOST
    ]
    parts = kept if any(words.numbers(word) for word in kept) else question.split()
    for _ in range(chance.choice((0, 1, 1, 2))):
        said = chance.choice(AROUND)
        parts = [said, *parts] if chance.random() < 0.5 else [*parts, said]
    return " ".join(parts)
