"""A chat model of LangChain that answers what a test tells it to."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import ConfigDict, Field

from knowledge.llm import LanguageModel, LanguageModelSettings

Said = str | Exception | threading.Event
"""A piece of the answer's JSON; an error instead of it; or a wait for something that may never come."""


class Scripted(BaseChatModel):
    """Each call gives the next script, and the last one again and again."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    scripts: list[Any]
    prompts: list[str] = Field(default_factory=list)
    usage: int | None = None

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=tools, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        self.prompts.append("\n".join(str(message.text) for message in messages))
        script: list[Said] | Callable[[str], list[Said]]
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        pieces = script(self.prompts[-1]) if callable(script) else script
        for place, piece in enumerate(pieces):
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, threading.Event):
                piece.wait(30)
                continue
            name, number = ("Draft", "1") if place == 0 else (None, None)
            call = ToolCallChunk(name=name, args=piece, id=number, index=0, type="tool_call_chunk")
            yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[call]))
        if self.usage is not None:
            usage = UsageMetadata(input_tokens=0, output_tokens=self.usage, total_tokens=self.usage)
            yield ChatGenerationChunk(message=AIMessageChunk(content="", usage_metadata=usage))


def draft(*sentences: tuple[str, list[int]], steps: bool = False, can_answer: bool = True) -> list[Said]:
    """The pieces, a few characters each, of an answer with these sentences and the passages behind them."""
    told = [{"text": text, "passages": passages, "step": steps} for text, passages in sentences]
    whole = json.dumps({"can_answer": can_answer, "sentences": told})
    return [whole[start : start + 7] for start in range(0, len(whole), 7)]


def scripted(*scripts: Any, seconds: float = 20.0, usage: int | None = None) -> LanguageModel:
    settings = LanguageModelSettings(llm="scripted:model", llm_timeout_seconds=seconds)
    return LanguageModel(settings, chat=Scripted(scripts=list(scripts), usage=usage))
