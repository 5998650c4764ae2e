"""The language model, by LangChain, which is imported when the model is opened and not before."""

import json
import logging
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from knowledge.errors import LanguageModelUnavailable

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import Runnable

log = logging.getLogger(__name__)

RETRIES = 2
"""By the provider's client, which waits as long as `Retry-After` says; the turn's time limit holds all the same."""
MALFORMED = {"OutputParserException", "ValidationError", "ValueError", "LengthFinishReasonError", "NotImplementedError"}
SLOW = {"TimeoutError", "APITimeoutError", "TimeoutException", "Timeout"}
"""Names of classes: the providers' packages needn't be there."""

Reason = Literal["slow", "down", "over budget", "malformed", "declined", "unsupported"]


class LanguageModelSettings(BaseSettings):
    """Read from `DESKMATE_LLM*`. A key is read by the provider's package from its own variable."""

    model_config = SettingsConfigDict(env_prefix="DESKMATE_", env_file=".env", extra="ignore", frozen=True)

    llm: str = ""  # `provider:model` as LangChain names them; empty: answers are the articles' own words
    llm_timeout_seconds: float = Field(default=20.0, gt=0, le=240)  # of a turn; Slack ends a stream after five minutes
    llm_tokens_per_turn: int = Field(default=10_000, ge=1_000)  # prompt and answer together
    llm_tokens_per_day: int = Field(default=2_000_000, ge=0)
    llm_propose: bool = True  # whether it may say that a message is a routine request, which the employee confirms
    llm_rewrite: bool = False  # whether it also words the question for the search
    llm_rewrite_seconds: float = Field(default=4.0, gt=0, le=60)  # then the plain question is searched

    @property
    def tokens_of_answer(self) -> int:
        """Half of a turn's: a model that thinks first counts its thoughts as output."""
        return self.llm_tokens_per_turn // 2


class Unwritten(Exception):
    """The model's answer can't be used; the articles' own words can."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason: Reason = reason


@dataclass(frozen=True)
class Usage:
    tokens: int


class LanguageModel:
    """Safe to share between threads. `chat` is given in tests; otherwise `open` makes it from the settings."""

    def __init__(
        self,
        settings: LanguageModelSettings,
        *,
        chat: "BaseChatModel | None" = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self.name = settings.llm
        self.seconds = settings.llm_timeout_seconds
        self.most_tokens = settings.tokens_of_answer
        self._chat = chat
        self._clock = clock
        self._opening = threading.Lock()

    def within(self, seconds: float, tokens: int) -> "LanguageModel":
        """The same model with other limits for a call; of the tokens, half is for what it writes."""
        limits = {"llm_timeout_seconds": seconds, "llm_tokens_per_turn": tokens}
        return LanguageModel(self._settings.model_copy(update=limits), chat=self._chat, clock=self._clock)

    def open(self) -> "BaseChatModel":
        """Import what the model needs, without calling it. Errors: `LanguageModelUnavailable`, one clear line."""
        with self._opening:
            if self._chat is None:
                self._chat = opened(self.name, self.seconds, self.most_tokens)
            return self._chat

    def stream(self, messages: Sequence[tuple[str, str]], schema: type[BaseModel]) -> Iterator[str | Usage]:
        """The JSON of a `schema` as it is written, piece by piece, and what it cost where the provider says so.

        `messages` are of a role (`system`, `human`) and a text. Errors: `Unwritten` for a model that is `slow`, which
        is counted from here to the last piece, `down`, or `malformed` (no structured output, or no end of it).
        """
        deadline = self._clock() + self.seconds
        came: SimpleQueue[str | Usage | Exception | None] = SimpleQueue()
        over = threading.Event()
        threading.Thread(
            target=self._feed, args=(messages, schema, came, over), name="language model", daemon=True
        ).start()
        try:
            while (piece := self._next(came, deadline)) is not None:
                if isinstance(piece, Exception):
                    raise Unwritten(*what_failed(piece)) from piece
                yield piece
        finally:
            over.set()

    def probe(self) -> None:
        """Ask for one word, to see whether the model answers. Errors: `LanguageModelUnavailable`, `Unwritten`."""
        chat = self.open()
        came: SimpleQueue[str | Usage | Exception | None] = SimpleQueue()

        def ask() -> None:
            try:
                chat.invoke([("human", "Answer with the word: ready")])
            except Exception as error:  # noqa: BLE001 (providers raise what they like)
                came.put(error)
            came.put(None)

        threading.Thread(target=ask, name="language model probe", daemon=True).start()
        failed = self._next(came, self._clock() + self.seconds)
        if isinstance(failed, Exception):
            raise Unwritten(*what_failed(failed)) from failed

    def _next(
        self, came: "SimpleQueue[str | Usage | Exception | None]", deadline: float
    ) -> str | Usage | Exception | None:
        left = deadline - self._clock()
        try:
            return came.get(timeout=left) if left > 0 else came.get_nowait()
        except Empty:
            raise Unwritten("slow", f"no answer within {self.seconds:g} s") from None

    def _feed(
        self,
        messages: Sequence[tuple[str, str]],
        schema: type[BaseModel],
        came: "SimpleQueue[str | Usage | Exception | None]",
        over: threading.Event,
    ) -> None:
        """In a thread of its own, since a provider's iterator can't be interrupted. Given up, it ends with the next
        piece, or with the client's own time limit."""
        length = 0
        try:
            for message in asked_for(self.open(), schema).stream(list(messages)):
                if over.is_set():
                    return
                if piece := json_of(message):
                    length += len(piece.encode())
                    if length > 8 * self.most_tokens:  # it was told to stop long before
                        raise ValueError("the answer has no end")
                    came.put(piece)
                if usage := getattr(message, "usage_metadata", None):
                    came.put(Usage(int(usage.get("total_tokens") or 0)))
            came.put(None)
        except Exception as error:  # noqa: BLE001 (providers raise what they like)
            came.put(error)


def opened(name: str, seconds: float, most_tokens: int) -> "BaseChatModel":
    provider, _, model = name.partition(":")
    if not provider or not model:
        raise LanguageModelUnavailable(
            f"DESKMATE_LLM should name a provider and a model, such as openai:gpt-5-mini; it is {name}."
        )
    from langchain.chat_models import init_chat_model

    # langchain-openai dumps its own parsed answer, of which pydantic says each time that it isn't None.
    warnings.filterwarnings("ignore", "Pydantic serializer warnings", UserWarning)
    try:
        return init_chat_model(
            model, model_provider=provider, timeout=seconds, max_retries=RETRIES, max_tokens=most_tokens
        )
    except ImportError as error:
        package = getattr(error.__cause__, "name", None) or f"langchain-{provider}"
        raise LanguageModelUnavailable(
            f"DESKMATE_LLM={name} needs a package that isn't installed:"
            f" pip install {package.split('.')[0].replace('_', '-')}"
        ) from error
    except Exception as error:
        first = (str(error).strip().splitlines() or [""])[0][:200].rstrip(".")
        raise LanguageModelUnavailable(
            f"DESKMATE_LLM={name} can't be used: {first or type(error).__name__}."
        ) from error


def asked_for(chat: "BaseChatModel", schema: type[BaseModel]) -> "Runnable[Any, Any]":
    """The model told to answer in this structure, without the parser that LangChain puts behind it: that one waits
    for the end, and keeps what the call has cost to itself."""
    from langchain_core.runnables import RunnableSequence

    structured = chat.with_structured_output(schema)
    return structured.first if isinstance(structured, RunnableSequence) else structured


def json_of(message: "BaseMessage | BaseModel | dict[str, Any]") -> str:
    """What a piece of a message adds to the structured answer: providers send it as text or as a tool's arguments;
    a model with a way of its own to structured output gives the whole."""
    if isinstance(message, dict):
        return json.dumps(message)
    chunks: Any = getattr(message, "tool_call_chunks", None)
    if chunks:
        return "".join(chunk.get("args") or "" for chunk in chunks)
    calls: Any = getattr(message, "tool_calls", None)
    if calls:
        return json.dumps(calls[0]["args"])
    return str(message.text) if hasattr(message, "text") else message.model_dump_json()


def what_failed(error: Exception) -> tuple[Reason, str]:
    """Only the kind of the error: what providers write into it may hold a key or the prompt."""
    status = getattr(error, "status_code", None)
    kind = f"{type(error).__name__}{f' {status}' if status else ''}"
    names = {base.__name__ for base in type(error).__mro__}
    if names & SLOW:
        return "slow", kind
    return ("malformed" if names & MALFORMED else "down"), kind
