"""What the language model is asked to write, and its reading while it is still being written."""

import json
import re
from typing import Any

from pydantic import BaseModel, Field, ValidationError

CAN_ANSWER = re.compile(r'"can_answer"\s*:\s*(true|false)')
SENTENCES = re.compile(r'"sentences"\s*:\s*\[')
BETWEEN = re.compile(r"[\s,]*")


class Sentence(BaseModel):
    """One sentence of the answer, or one step of a procedure."""

    text: str = Field(description="One sentence, in the words of the passages; Markdown emphasis and code as there.")
    passages: list[int] = Field(description="The numbers of the passages that say this.")
    step: bool = Field(description="Whether this is one step of a numbered procedure.")


class Draft(BaseModel):
    """An answer made of nothing but what the passages say."""

    can_answer: bool = Field(description="False if the passages do not answer the question.")
    sentences: list[Sentence] = Field(description="The answer; empty if it cannot be given.")


class DraftReader:
    """Reads a `Draft` from its JSON piece by piece; `declined` and `complete` tell what has been seen so far."""

    def __init__(self) -> None:
        self._text = ""
        self._at: int | None = None
        self.declined = False
        self.complete = False

    def read(self, piece: str) -> list[Sentence]:
        """The sentences that this piece completes. Errors: `ValueError` for what can't become a `Draft`."""
        self._text += piece
        if self._at is None:
            if said := CAN_ANSWER.search(self._text):
                self.declined = said[1] == "false"
            begins = SENTENCES.search(self._text)
            if begins is None:
                return []
            self._at = begins.end()
        found: list[Sentence] = []
        while not self.complete:
            gap = BETWEEN.match(self._text, self._at)
            self._at = gap.end() if gap else self._at
            if self._text[self._at : self._at + 1] == "]":
                self.complete = True
                self._read_rest()
            elif (end := self._end_of_object()) is None:
                break
            else:
                found.append(sentence_of(self._text[self._at : end]))
                self._at = end
        return found

    def _read_rest(self) -> None:
        if said := CAN_ANSWER.search(self._text):
            self.declined = said[1] == "false"

    def _end_of_object(self) -> int | None:
        """Where the object that begins here ends; None if that isn't written yet."""
        assert self._at is not None
        if not self._text[self._at : self._at + 1]:
            return None
        if self._text[self._at] != "{":
            raise ValueError("a sentence is no object")
        depth, quoted, escaped = 0, False, False
        for index in range(self._at, len(self._text)):
            character = self._text[index]
            if escaped:
                escaped = False
            elif quoted:
                escaped, quoted = character == "\\", character != '"'
            elif character == '"':
                quoted = True
            elif character in "{[":
                depth += 1
            elif character in "}]":
                depth -= 1
                if depth == 0:
                    return index + 1
        return None


def sentence_of(source: str) -> Sentence:
    """Small models leave out `step`, and name one passage without a list. Errors: `ValueError`."""
    value: Any = json.loads(source)
    if isinstance(value, dict) and isinstance(value.get("passages"), int | str):
        value["passages"] = [value["passages"]]
    try:
        return Sentence.model_validate({"step": False, "passages": []} | value)
    except (ValidationError, TypeError) as error:
        raise ValueError("a sentence isn't as asked") from error
