"""What `bench.scale` measured as tables and pictures of docs/performance.md."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from bench.knowledge_base import table
from bench.report import COLOURS, DOCS, picture, put_between_markers

COMMAND = "python -m bench.scale"
STAGES = {"embed": "embedding", "dense": "dense", "sparse": "sparse", "check": "permission check", "rest": "the rest"}
Answers = Mapping[tuple[int, str], Sequence[Mapping[str, Any]]]  # the rounds, by size and system


def written(
    answers: Answers,
    first: Sequence[Mapping[str, float]],
    ingestion: Mapping[str, Any],
    built: Mapping[tuple[int, int], Mapping[str, float]],
    *,
    keep: bool,
) -> str:
    """The Markdown; with `keep` also put into the document, and the pictures drawn."""
    parts = [
        "The middle of the rounds; milliseconds and megabytes.",
        systems_table(answers),
        "Where the time of a question goes, p50 / p95:",
        stages_table(answers),
        ratios(answers),
        first_text(first, min(size for size, _ in answers)),
        ingestion_text(ingestion),
        "Making the bases (vectors are copied, not embedded):",
        built_table(built),
        "![Time per question by size](images/scale.svg)",
        "![Time per question by stage](images/scale-stages.svg)",
    ]
    part = "\n\n".join(parts)
    if keep:
        draw_systems(answers)
        draw_stages(answers)
        put_between_markers(DOCS / "performance.md", COMMAND, part)
    return part


def quantile(rounds: Iterable[Mapping[str, Any]], name: str, stage: str = "total") -> float:
    """`name` is p50 or p95; rivals tell the whole only."""
    return median(float(told[name][stage] if name in told else told[f"{name}_ms"]) for told in rounds)


def memory(rounds: Iterable[Mapping[str, Any]]) -> float:
    return median(float(told["rss_mb"]) for told in rounds)


def systems_table(answers: Answers) -> str:
    rows = [
        [system, f"{size:,}", *(f"{quantile(told, name):.1f}" for name in ("p50", "p95")), f"{memory(told):.0f}"]
        for (size, system), told in answers.items()
    ]
    return table(["", "passages", "p50", "p95", "memory"], rows)


def stages_table(answers: Answers) -> str:
    rows = [
        [
            system,
            f"{size:,}",
            *(f"{quantile(told, 'p50', stage):.1f} / {quantile(told, 'p95', stage):.1f}" for stage in STAGES),
        ]
        for (size, system), told in answers.items()
        if "p50" in told[0]
    ]
    return table(["", "passages", *STAGES.values()], rows)


def ratios(answers: Answers) -> str:
    """What is aimed at, of medians of one run."""
    sizes = sorted({size for size, _ in answers})

    def of(size: int, begins: str, name: str = "p50") -> float | None:
        return next(
            (
                quantile(told, name)
                for (at, system), told in answers.items()
                if (at, system[: len(begins)]) == (size, begins)
            ),
            None,
        )

    small, large = sizes[0], sizes[-1]
    asked = [
        ("p50 beside LangChain + Chroma", of(small, "Deskmate, no"), of(small, "LangChain"), "at most 0.6"),
        ("p50 beside the bare pipeline", of(small, "Deskmate, no"), of(small, "bare"), "at most 1.3"),
        ("p50 with 20 audiences beside none", of(small, "Deskmate, 20"), of(small, "Deskmate, no"), "at most 2"),
        ("p50 of Chroma's `where` beside our 20 audiences", of(small, "Chroma"), of(small, "Deskmate, 20"), ""),
        (
            f"p95 at {large:,} passages beside {small:,}",
            of(large, "Deskmate, no", "p95"),
            of(small, "Deskmate, no", "p95"),
            "at most 2" if large >= 1_000_000 else "",
        ),
    ]
    rows = [[what, f"{one / other:.2f}", wanted] for what, one, other, wanted in asked if one and other]
    return table(["times", "measured", "wanted"], rows)


def first_text(first: Sequence[Mapping[str, float]], size: int) -> str:
    seconds = sorted(each["seconds"] for each in first)
    return (
        f"`deskmate ask` over {size:,} passages, from the start of the process to its end, with the answer: "
        f"{median(seconds):.2f} s in the middle of {len(seconds)}, {seconds[0]:.2f} s at best, {seconds[-1]:.2f} s at"
        f" worst ({median(each['cpu_s'] for each in first):.2f} s of CPU); at most"
        f" {max(each['peak_rss_mb'] for each in first):.0f} MB."
    )


def ingestion_text(ingestion: Mapping[str, Any]) -> str:
    other = ingestion["langchain"]["passages_per_second"]
    return table(
        ["ingestion, one after the other in parts", "measured"],
        [
            ["Deskmate, texts embedded a second", f"{ingestion['ours_per_s']:.1f}"],
            ["the bare embedder, the same texts", f"{ingestion['bare_per_s']:.1f}"],
            ["Deskmate beside the bare embedder, middle of the parts", f"{ingestion['of_bare']:.2f}"],
            ["LangChain + Chroma, its passages a second", f"{other:.1f}"],
            ["how many times cheaper unchanged articles are", f"{ingestion['cheaper']:.0f}"],
        ],
    )


def built_table(built: Mapping[tuple[int, int], Mapping[str, float]]) -> str:
    rows = [
        [f"{told['passages']:,.0f}", str(audiences), f"{told['copied_s']:.0f}", f"{told['indexed_s']:.0f}"]
        for (_, audiences), told in built.items()
    ]
    return table(["passages", "audiences", "into SQL, s", "indexed, s"], rows)


def draw_systems(answers: Answers) -> None:
    systems = list(dict.fromkeys(system for _, system in answers))
    with picture("scale.svg") as (axes,):
        for colour, system in zip(COLOURS, systems, strict=False):
            sizes = [size for size, name in answers if name == system]
            axes.plot(
                sizes, [quantile(answers[size, system], "p50") for size in sizes], "o-", color=colour, label=system
            )
            axes.plot(sizes, [quantile(answers[size, system], "p95") for size in sizes], ".:", color=colour)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("passages")
        axes.set_ylabel("ms per question; p50, dotted p95")
        axes.legend(frameon=False)


def draw_stages(answers: Answers) -> None:
    ours = {key: told for key, told in answers.items() if "p50" in told[0]}
    labels = [f"{system.removeprefix('Deskmate, ')}\n{size:,}" for size, system in ours]
    with picture("scale-stages.svg") as (axes,):
        bottom = [0.0] * len(ours)
        for colour, (stage, name) in zip(COLOURS, STAGES.items(), strict=False):
            heights = [quantile(told, "p50", stage) for told in ours.values()]
            axes.bar(labels, heights, bottom=bottom, color=colour, label=name)
            bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
        axes.set_ylabel("ms per question, p50 of each stage")
        axes.legend(frameon=False)
