"""A message as a question: without greeting, thanks, signature and what was pasted from a log.

Words of courtesy weigh nothing for a reader, but a search by words takes "hello" for rare and telling, and a model that
reads 256 tokens has no room for a log.
"""

import re
from collections.abc import Sequence
from itertools import groupby

GREETING = re.compile(
    r"\A(?:(?:hi|hello|hey|hiya|howdy|dear|good (?:morning|afternoon|evening|day)|greetings)\b"
    r"(?: (?:there|all|everyone|everybody|team|folks|guys|it|support|helpdesk|help desk|colleagues|sir|madam))*"
    r" ?[,.!:;)\u2013-]*\s)+",
    re.IGNORECASE,
)
PLEASANTRIES = re.compile(
    r"\b(?:i )?hope (?:you are|you're|you|this finds you|all is|everyone is|everyone's)[^.!?\n]{0,40}[.!?\n]"
    r"|\b(?:many |big )?(?:thanks|thank you|thank u|thx|tia|cheers)(?: (?:so much|very much|a lot|a bunch|again|all))?"
    r"(?:(?: (?:in advance|for (?:any|your|the|all)(?: \w+)? ?"
    r"(?:help|time|support|advice|assistance|input|suggestions?)))+[ ,.!:]*|[ ,.!:]*(?=\n|\Z))"
    r"|\b(?:any|all) (?:help|advice|ideas?|suggestions?|assistance|input)(?: (?:is|are|would be|will be))?"
    r"(?: (?:much|greatly|very|really|highly))? (?:appreciated|welcome)\b[.!]*"
    r"|\b(?:can|could|would) (?:someone|somebody|anyone|anybody|you)(?: please| pls| kindly)?"
    r" (?:help|assist|advise)(?: me| us)?(?: out)?(?: (?:with|on) (?:this|that|it))?(?: please| pls)?\s*[.?!]+"
    r"|\b(?:please|pls|plz)(?: kindly)? (?:help|advise|assist)(?: me| us)?\b\s*[.?!]*"
    r"|\b(?:quick|simple|silly|dumb|stupid) question\b\s*[:,.!-]*",
    re.IGNORECASE,
)
FAREWELL = re.compile(
    r"\n(?:(?:(?:best|kind|kindest|warm) )?(?:regards|wishes)|best|cheers"
    r"|sincerely(?: yours)?|yours(?: \w+)?|br|kr|--)"
    r" ?[,.!]*(?:\n.{0,60}){0,6}\Z",
    re.IGNORECASE,
)
SENT_FROM = re.compile(r"^(?:sent from my|get outlook for)\b.*$", re.IGNORECASE | re.MULTILINE)
LOG_LINE = re.compile(
    r"(?:[\[(]?\d{4}[-/.]\d\d[-/.]\d\d[T ,]|[\[(]?\d{1,2}:\d\d:\d\d\b|\w{3} \d{1,2} \d\d:\d\d:\d\d\b"
    r"|at [\w.$<>]+\(.*\)$|File \".*\", line \d+|Caused by:|\.\.\. \d+ more|(?:[0-9a-f]{2} ){6,}"
    r"|\[?(?:DEBUG|TRACE|INFO|WARN(?:ING)?|ERROR|FATAL)\b[\]: ])"
)
LOG_LINES = 3  # so many in a row are a log; fewer are a quotation
TELLING = re.compile(r"error|exception|fail|denied|refused|fatal|0x[0-9a-f]{4,}", re.IGNORECASE)
TOLD_OF_A_LOG = 2  # of its lines that tell what went wrong
FEWEST_WORDS = 2


def without_noise(message: str) -> str:
    """The message without what asks nothing, its blanks evened out; itself when next to nothing would be left.

    The patterns rely on single blanks: a run of thousands would keep them busy for minutes.
    """
    lines = (" ".join(line.split()) for line in message.split("\n"))
    text = without_logs([line for line in lines if line])
    text = FAREWELL.sub("", SENT_FROM.sub("", text))
    text = PLEASANTRIES.sub(" ", GREETING.sub("", text))
    text = re.sub(r" {2,}", " ", text).strip()
    return text if len(re.findall(r"\w+", text)) >= FEWEST_WORDS else message


def without_logs(lines: Sequence[str]) -> str:
    """Of a pasted log only its first lines that tell of an error."""
    kept: list[str] = []
    for is_log, group in groupby(lines, lambda line: LOG_LINE.match(line) is not None):
        block = list(group)
        if is_log and len(block) >= LOG_LINES:
            block = list(dict.fromkeys(line for line in block if TELLING.search(line)))[:TOLD_OF_A_LOG]
        kept += block
    return "\n".join(kept)
