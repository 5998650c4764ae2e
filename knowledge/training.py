"""An embedding model that learns the company's own words, on a CPU: sentence-transformers' loss in a loop of our own.

The loop is what the library's trainer would do here; the trainer needs two more packages, one of them large. Nothing
that answers imports this file, and this file imports torch when it is asked to learn.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from knowledge.errors import ModelUnavailable, TooFewPairs
from knowledge.export import bundled_model
from knowledge.pairs import Pair, batches

FEWEST_PAIRS = 50
PASSES = 3  # over the pairs, if there is time
BATCH = 32
READ_TOKENS = 128  # of a passage while learning: half of what is embedded later, for half the time
LEARNING_RATE = 2e-5
WARM_UP = 0.1  # of the planned steps, at most
LONGEST_WARM_UP = 20  # steps: ten minutes may be a hundred, and the plan a thousand
OF_THE_ORIGINAL = 0.5
LARGEST_GRADIENT = 1.0  # its norm


@dataclass(frozen=True)
class Learnt:
    steps: int
    planned: int  # steps, had there been time
    seconds: float


def refuse_too_few(pairs: Sequence[Pair]) -> None:
    """Errors: `TooFewPairs`."""
    if len(pairs) < FEWEST_PAIRS:
        raise TooFewPairs(
            f"There is too little to learn from: {len(pairs)} pairs of a heading or confirmed question and a passage;"
            f" {FEWEST_PAIRS} are needed."
        )


def learn(
    name: str,
    pairs: Sequence[Pair],
    folder: Path,
    *,
    minutes: float,
    report: Callable[[int, int], None],
    passes: int = PASSES,
    seed: int = 7,
) -> Learnt:
    """Fine-tune the model (by name or path, or empty for the bundled one) on the pairs, and save it to `folder` as
    sentence-transformers does. `report` is told steps done, of how many. The first step after `minutes` isn't taken.

    Loss: the other passages of a batch are the wrong answers (Henderson et al. 2017, arXiv:1705.00652, 4.4). So that
    little is forgotten, the weights that are saved are the mean of the original's and the learnt ones (Wortsman et al.
    2022, arXiv:2109.01903, with alpha = 0.5). The same seed gives the same model if the time suffices for all steps.

    Errors: `TooFewPairs`, `ModelUnavailable`.
    """
    refuse_too_few(pairs)
    import torch
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    model = opened(name)
    most_tokens = model.max_seq_length
    model.max_seq_length = min(most_tokens or READ_TOKENS, READ_TOKENS)
    original = {key: value.detach().clone() for key, value in model.state_dict().items()}
    plan = [batch for number in range(passes) for batch in batches(pairs, BATCH, seed + number)]
    loss_of = MultipleNegativesRankingLoss(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    warm = max(1, min(round(WARM_UP * len(plan)), LONGEST_WARM_UP))
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / warm))
    started, steps = monotonic(), 0
    report(0, len(plan))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.train()
        for batch in plan:
            if monotonic() - started >= 60 * minutes:
                break
            texts = ([pair.asked for pair in batch], [pair.passage for pair in batch])
            loss = loss_of([model.preprocess(side) for side in texts], torch.arange(len(batch)))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT)
            optimizer.step()
            optimizer.zero_grad()
            rate.step()
            steps += 1
            report(steps, len(plan))
    model.load_state_dict(
        {
            key: torch.lerp(value, original[key], OF_THE_ORIGINAL) if value.is_floating_point() else value
            for key, value in model.state_dict().items()
        }
    )
    model.eval()
    model.max_seq_length = most_tokens
    with without_bars():
        model.save(str(folder), create_model_card=False)
    return Learnt(steps, len(plan), monotonic() - started)


def opened(name: str) -> Any:
    """The model, of sentence-transformers' class. Errors: `ModelUnavailable`."""
    from sentence_transformers import SentenceTransformer

    path = name or bundled_model()
    try:
        with without_bars():
            return SentenceTransformer(path, device="cpu", local_files_only=Path(path).is_dir())
    except (OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["unknown"])[0]
        raise ModelUnavailable(f"The embedding model {name} could not be loaded: {reason}") from error


@contextmanager
def without_bars() -> Iterator[None]:
    """The libraries draw bars of their own for loading and saving, terminal or not."""
    from transformers.utils import logging as untyped

    logging: Any = untyped
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
