"""One short question to the language model, within the day's budget: for what isn't an answer to an employee."""

from collections.abc import Sequence

from pydantic import BaseModel

from knowledge.budget import TokenBudget
from knowledge.llm import LanguageModel, Unwritten, Usage

SCHEMA_TOKENS = 200


def asked_once(
    model: LanguageModel,
    budget: TokenBudget,
    messages: Sequence[tuple[str, str]],
    schema: type[BaseModel],
    *,
    tokens: int,
) -> str:
    """The JSON of a `schema` that the model writes with at most half of these tokens. Errors: `Unwritten`."""
    asking = SCHEMA_TOKENS + sum(len(text.encode()) for _, text in messages) // 2
    most = asking + tokens // 2
    day = budget.reserve(most)
    if day is None:
        raise Unwritten("over budget", "the day's tokens are used up")
    spent, written, over = 0, "", False
    try:
        for piece in model.stream(messages, schema):
            if isinstance(piece, Usage):
                spent = max(spent, piece.tokens)
            else:
                written += piece
        over = True
    except Unwritten as failure:
        over = failure.reason == "down"
        raise
    finally:
        budget.settle(day, most, spent or (asking + len(written.encode()) // 2 if over else most))
    return written
