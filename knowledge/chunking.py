"""An article, cut into passages that can be embedded and shown."""

import hashlib
from dataclasses import dataclass

from knowledge.articles import Document
from knowledge.blocks import Block, Kind, blocks_of
from knowledge.cleaning import clean
from knowledge.embedder import Embedder
from knowledge.pictures import without

CHUNKER_VERSION = 1  # raise it when the same article would be cut or embedded otherwise
PREFIX_TOKENS = 64  # a title and headings longer than this are cut for embedding
OVERLAP_TOKENS = 32
MOST_WINDOWS = 6


@dataclass(frozen=True)
class Chunk:
    """A passage in the making: `text` is shown, `said` is what is searched. `windows` are the texts that are embedded;
    more than one when a single block is larger than the model reads."""

    text: str
    said: str
    kind: Kind
    headings: tuple[str, ...]
    section: int
    steps: int
    windows: tuple[str, ...]

    @property
    def text_hash(self) -> str:
        return hashlib.sha256("\x00".join(self.windows).encode()).hexdigest()


def chunks_of(document: Document, embedder: Embedder) -> list[Chunk]:
    """The passages in order; at least one, so that an article that is only a title can be found by it."""
    title = " ".join(document.title.split())
    blocks = blocks_of(clean(document.markdown, document.url), title)
    if not blocks:
        blocks = [Block(document.description or title, "text", (), 0)]
    sizes = embedder.count([without(block.text) for block in blocks])
    result: list[Chunk] = []
    packed: list[Block] = []
    room = 0
    for position, (block, size) in enumerate(zip(blocks, sizes, strict=True)):
        fits = packed and packed[-1].section == block.section and size <= room
        if fits and leads_in(block) and position + 1 < len(blocks) and blocks[position + 1].section == block.section:
            # "Run this command:" belongs with the command.
            fits = size + sizes[position + 1] <= room or sizes[position + 1] + size > embedder.max_tokens
        if not fits:
            if has_words(packed):
                result.append(chunk(packed, title, embedder))
            packed, room = [], embedder.max_tokens - 2 - len(prefix_tokens(block, title, embedder))
        packed.append(block)
        room -= size
    if has_words(packed) or not result:
        result.append(chunk(packed, title, embedder))
    return result


def has_words(packed: list[Block]) -> bool:
    """Pictures alone can't be searched."""
    return any(without(block.text) for block in packed)


def leads_in(block: Block) -> bool:
    return block.text.rstrip(" *_").endswith(":")


def prefix_of(headings: tuple[str, ...], title: str) -> str:
    return " > ".join([title, *headings])


def prefix_tokens(block: Block, title: str, embedder: Embedder) -> list[tuple[int, int]]:
    """The spans of the prefix's tokens, at most `PREFIX_TOKENS`."""
    encoding = embedder.tokenizer.encode(prefix_of(block.headings, title), add_special_tokens=False)
    return list(encoding.offsets[:PREFIX_TOKENS])


def chunk(packed: list[Block], title: str, embedder: Embedder) -> Chunk:
    text = packed[0].text + "".join(("\n" if block.follows else "\n\n") + block.text for block in packed[1:])
    spans = prefix_tokens(packed[0], title, embedder)
    prefix = prefix_of(packed[0].headings, title)[: spans[-1][1] if spans else 0]
    room = embedder.max_tokens - 2 - len(spans)
    said = without(text)
    offsets = embedder.tokenizer.encode(said, add_special_tokens=False).offsets
    windows = [
        said[offsets[start][0] : offsets[min(start + room, len(offsets)) - 1][1]]
        for start in window_starts(len(offsets), room)
    ]
    kinds = {block.kind for block in packed}
    kind: Kind = "steps" if "steps" in kinds else kinds.pop() if len(kinds) == 1 else "text"
    return Chunk(
        text=text,
        said=said,
        kind=kind,
        headings=packed[0].headings,
        section=packed[0].section,
        steps=sum(block.steps for block in packed),
        windows=tuple(f"{prefix}\n{window}" for window in windows or [""]),
    )


def window_starts(length: int, room: int) -> list[int]:
    if length <= room:
        return [0] if length else []
    starts = range(0, length - OVERLAP_TOKENS, room - OVERLAP_TOKENS)
    return list(starts)[:MOST_WINDOWS]
