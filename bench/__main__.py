"""All measurements, one after the other: `make bench`. They print Markdown tables for docs/ and judge nothing."""

import subprocess
import sys

from bench.knowledge_base import REPOSITORY, SHARED

ALWAYS = ("bench.sample_questions", "bench.conversation", "bench.twenty_questions")
WITH_SHARED_DATA = (
    "bench.routing",
    "bench.out_of_scope",
    "bench.withheld",
    "bench.retrieval",
    "bench.ablation",
    "bench.scale",
)


def main() -> None:
    shared = WITH_SHARED_DATA if SHARED.exists() else ()
    if not shared:
        print("The data folder ../shared is absent: no ranking, no questions out of scope.", file=sys.stderr)
    for module in (*ALWAYS, *shared):
        print(f"\n## {module}\n", flush=True)
        subprocess.run([sys.executable, "-m", module], cwd=REPOSITORY, check=True)


if __name__ == "__main__":
    main()
