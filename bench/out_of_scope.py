"""How often Deskmate answers what its knowledge base can't know.

    python -m bench.out_of_scope [HOME]

Asks the questions of `out_of_scope.jsonl` of the 2,068 articles of `kb/`; each answer is a false one. HOME keeps the
knowledge base (embedding it takes about ten minutes the first time). Prints a Markdown table for docs/quality.md.
"""

import json
import sys
from collections import Counter
from pathlib import Path

from bench.knowledge_base import REPOSITORY, library_over, share, shared_data, table


def main(home: Path) -> None:
    rows = [json.loads(line) for line in shared_data("retrieval/out_of_scope.jsonl").read_text().splitlines()]
    asked: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    surest: dict[str, tuple[float, str, str]] = {}
    with library_over(shared_data("kb/articles"), home) as library:
        for row in rows:
            answer = library.answer(row["text"])
            asked[row["kind"]] += 1
            answered[row["kind"]] += answer.confident
            if answer.confident:
                title = answer.citations[0].title if answer.citations else ""
                surest[row["_id"]] = (answer.confidence, row["text"], title)
    lines: list[list[str | int]] = [
        [kind.replace("_", " "), asked[kind], answered[kind], share(answered[kind], asked[kind])]
        for kind in sorted(asked)
    ]
    lines.append(["all", asked.total(), answered.total(), share(answered.total(), asked.total())])
    print(table(["out of scope", "asked", "answered", "share"], lines))
    print("\nAnswered with most confidence:", file=sys.stderr)
    for confidence, text, title in sorted(surest.values(), reverse=True)[:20]:
        print(f"  {confidence:.2f}  {text[:90]!r} -> {title[:70]}", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / ".deskmate" / "bench" / "kb")
