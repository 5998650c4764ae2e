"""How often Deskmate answers the sample questions from the sample articles, and how often rightly.

    python -m bench.sample_questions [HOME]

An answer is right when the article it quotes is the one that the question is labelled with. Prints a Markdown table
for docs/quality.md; what went wrong goes to standard error.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter

from bench.knowledge_base import REPOSITORY, library_over, share, table
from knowledge.library import Answer

SAMPLE = REPOSITORY / "deskmate" / "sample"


def main(home: Path) -> None:
    questions = [json.loads(line) for line in (SAMPLE / "questions.jsonl").read_text().splitlines()]
    people = {person["account"]: person for person in json.loads((SAMPLE / "people.json").read_text())}
    counts: Counter[str] = Counter()
    times: list[float] = []
    with library_over(SAMPLE / "articles", home) as library:
        for question in questions:
            # Some articles are for one group only; a member of it asks about them.
            groups = frozenset(people[question["as"]]["groups"]) if "as" in question else frozenset()
            started = perf_counter()
            answer = library.answer(question["text"], groups=groups)
            times.append(1000 * (perf_counter() - started))
            found = [citation.article_id for citation in answer.citations]
            verdict = judged(answer, question["article_id"], found)
            counts[verdict] += 1
            counts["cited"] += question["article_id"] in found
            if verdict not in ("right", "rightly left open"):
                told = f"{question['id']} {verdict} ({answer.confidence:.2f}): {question['text'][:120]!r}"
                print(f"{told} -> {found}, labelled {question['article_id']}", file=sys.stderr)
    unknown = sum(question["article_id"] is None for question in questions)
    known = len(questions) - unknown
    answered = counts["right"] + counts["wrong"]
    first = counts["right"] + counts["first, not sure"]
    rows: list[list[str | int]] = [
        ["answered rightly", counts["right"], f"{share(counts['right'], known)} of {known}"],
        ["answered from another article", counts["wrong"], f"{share(counts['wrong'], known)} of {known}"],
        ["right among the answered", counts["right"], f"{share(counts['right'], answered)} of {answered}"],
        ["right article first, sure or not", first, f"{share(first, known)} of {known}"],
        ["right article among the three cited", counts["cited"], f"{share(counts['cited'], known)} of {known}"],
        ["answered though no article knows", counts["false"], f"{share(counts['false'], unknown)} of {unknown}"],
    ]
    print(table([f"{len(questions)} sample questions", "number", "share"], rows))
    times.sort()
    middle, late = times[len(times) // 2], times[len(times) * 95 // 100]
    print(f"\nMedian time of an answer {middle:.0f} ms, 95th percentile {late:.0f} ms.")


def judged(answer: Answer, label: str | None, found: list[str]) -> str:
    if label is None:
        return "false" if answer.confident else "rightly left open"
    if found[:1] == [label]:
        return "right" if answer.confident else "first, not sure"
    return "wrong" if answer.confident else "not first"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / ".deskmate" / "bench" / "sample")
