"""An answer in the article's own words: the passage that answers, or the procedure that it belongs to."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.access import may_see
from knowledge.articles import current_version_of_article
from knowledge.records import Article, ArticleVersion, Passage
from knowledge.showing import cut, shown

SCREEN = 2_500  # characters of an answer
WHOLE_SECTION = 1_600  # a section without steps is shown whole up to this
FULL = 11_000  # characters of a whole procedure: Slack's Markdown block takes 12,000

STEP_HEADING = re.compile(r"^(?:step\s*)?(\d{1,2})(?:[.):\s]|$)", re.IGNORECASE)
TROUBLE = re.compile(r"^(?:symptoms?|causes?|problem|issue|introduction|summary|error)$", re.IGNORECASE)
REMEDY = re.compile(r"^(?:resolutions?|solutions?|workarounds?|fix|how to fix\b.*|method 1\b.*)", re.IGNORECASE)
FIRST_STEP = re.compile(r"^1[.)] ", re.MULTILINE)
BULLET = re.compile(r"[-*+] ")


@dataclass(frozen=True)
class Piece:
    """A passage as it is shown."""

    passage: int
    position: int
    section: int
    headings: tuple[str, ...]
    steps: int
    text: str


@dataclass(frozen=True)
class Composed:
    text: str
    passage_ids: tuple[int, ...]
    more: bool


def pieces_of(session: Session, article: int, groups: frozenset[str], generation: str) -> list[Piece]:
    """The passages of the published version in order; empty when these groups may not see it now."""
    rows = session.execute(
        select(
            Passage.id,
            Passage.position,
            Passage.section,
            Passage.headings,
            Passage.steps,
            Passage.text,
            ArticleVersion.access,
        )
        .join(ArticleVersion, Passage.version == ArticleVersion.id)
        .join(Article, current_version_of_article())
        .where(Passage.article == article, Passage.generation == generation)
        .order_by(Passage.position)
    ).all()
    return [
        Piece(passage, position, section, tuple(headings), steps, text)
        for passage, position, section, headings, steps, text, access in rows
        if may_see(groups, access)
    ]


def answering(pieces: Sequence[Piece], passage: int) -> list[Piece]:
    """What to show for a passage: its procedure from the first step, a short section whole, or itself with what it
    announces."""
    at = next((index for index, piece in enumerate(pieces) if piece.passage == passage), None)
    if at is None:
        return []
    at = remedy(pieces, at)
    own = [piece for piece in pieces if piece.section == pieces[at].section]
    staged = stages(pieces, at)
    if len(staged) > len(own):
        return staged
    if any(piece.steps for piece in own):
        return own[first_shown(own, passage=pieces[at].passage) :]
    if sum(len(piece.text) for piece in own) <= WHOLE_SECTION:
        if announces(own[-1]) and (below := sections_below(pieces, own)):
            return [*own, *below]
        return [*own, *what_it_introduces(pieces, own)] if own[0] is pieces[0] else own
    chosen = whole_list(own, own.index(pieces[at]))
    for piece in pieces[at + 1 :]:
        if piece.section != pieces[at].section or not announces(chosen[-1]):
            break
        chosen.append(piece)
    return chosen


def first_shown(own: Sequence[Piece], passage: int) -> int:
    """Where to begin in a section with steps: at its top, or, when the passage would be beyond the screen, at the
    procedure of several that it is in."""
    at = next(index for index, piece in enumerate(own) if piece.passage == passage)
    if sum(len(piece.text) for piece in own[: at + 1]) <= SCREEN:
        return 0
    return next((index for index in range(at, 0, -1) if FIRST_STEP.search(own[index].text)), 0)


def whole_list(own: Sequence[Piece], at: int) -> list[Piece]:
    """The passage; with what stands before it when it begins in the middle of a list, if that isn't long."""
    first = at
    while first and BULLET.match(own[first].text):
        first -= 1
    return list(own[first if sum(len(piece.text) for piece in own[first : at + 1]) <= WHOLE_SECTION else at : at + 1])


def announces(piece: Piece) -> bool:
    """Whether it ends as in "use one of these methods:"."""
    return piece.text.rstrip(" *_\n").endswith(":")


def sections_below(pieces: Sequence[Piece], own: Sequence[Piece]) -> list[Piece]:
    """The sections that follow at once under this one's heading."""
    path = own[-1].headings
    start = pieces.index(own[-1]) + 1
    end = start
    while end < len(pieces) and len(pieces[end].headings) > len(path) and pieces[end].headings[: len(path)] == path:
        end += 1
    return list(pieces[start:end])


def what_it_introduces(pieces: Sequence[Piece], opening: Sequence[Piece]) -> list[Piece]:
    """After an article's opening words, its resolution or else its first procedure; without either, the section that
    follows if it's short."""
    rest = [piece for piece in pieces if piece.position > opening[-1].position]
    cures = (piece.section for piece in rest if piece.headings and REMEDY.match(piece.headings[-1]))
    first = next(cures, next((piece.section for piece in rest if piece.steps), None))
    if first is not None:
        cure = [piece for piece in rest if piece.section == first]
        return [*cure, *sections_below(pieces, cure)] if announces(cure[-1]) else cure
    following = [piece for piece in rest if piece.section == rest[0].section]
    return following if sum(len(piece.text) for piece in [*opening, *following]) <= WHOLE_SECTION else []


def remedy(pieces: Sequence[Piece], at: int) -> int:
    """For a passage under "Symptoms" or "Cause", the first of the "Resolution" after it; else the passage itself:
    people describe a symptom and want the cure."""
    headings = pieces[at].headings
    if not headings or not TROUBLE.match(headings[-1]):
        return at
    parent = headings[:-1]
    for index in range(at + 1, len(pieces)):
        others = pieces[index].headings
        if others[: len(parent)] != parent:
            break
        if len(others) > len(parent) and REMEDY.match(others[len(parent)]):
            return index
    return at


def stages(pieces: Sequence[Piece], at: int) -> list[Piece]:
    """If a heading above the passage is a numbered stage ("Step 2: ..."), all stages beside it, in order."""
    headings = pieces[at].headings
    for depth, heading in enumerate(headings):
        if STEP_HEADING.match(heading):
            parent = headings[:depth]

            def is_stage(piece: Piece, parent: tuple[str, ...] = parent, depth: int = depth) -> bool:
                beside = piece.headings[:depth] == parent and len(piece.headings) > depth
                return beside and STEP_HEADING.match(piece.headings[depth]) is not None

            first = last = at
            while first > 0 and is_stage(pieces[first - 1]):
                first -= 1
            while last + 1 < len(pieces) and is_stage(pieces[last + 1]):
                last += 1
            return list(pieces[first : last + 1])
    return []


def compose(pieces: Sequence[Piece], limit: int = SCREEN, url: str | None = None) -> Composed:
    """The pieces as one text of at most about `limit` characters; nothing is left out without a word about it."""
    parts: list[str] = []
    shown_ids: list[int] = []
    length = taken = 0
    missing = ""
    heading = pieces[0].headings if pieces else ()
    for piece, text in displayed(pieces):
        if length + len(text) > limit and parts:
            break
        shorter = cut(text, limit)
        text, missing = shorter.text, shorter.words
        if parts and piece.headings != heading and piece.headings:
            text = f"**{piece.headings[-1]}**\n\n{text}"
        heading = piece.headings
        parts.append(text)
        shown_ids.append(piece.passage)
        length += len(text) + 2
        taken = pieces.index(piece) + 1
        if missing:
            break
    rest = [piece for piece in pieces[taken:] if shown(piece.text)]
    text = joined(parts)
    if missing or rest:
        text += "\n\n" + what_follows(rest, missing, url)
    return Composed(text, tuple(shown_ids), more=bool(missing or rest))


def displayed(pieces: Sequence[Piece]) -> list[tuple[Piece, str]]:
    """The pieces as they are shown, without those that hold nothing for a reader; all of them if there were none."""
    told = [(piece, text) for piece in pieces if (text := shown(piece.text))]
    return told or [(piece, piece.text) for piece in pieces]


def joined(parts: Iterable[str]) -> str:
    """Steps go on in the list that they belong to; anything else starts a paragraph."""
    result = ""
    for part in parts:
        if not result:
            result = part
            continue
        goes_on = re.match(r"(?:\d+[.)]|[-*+]) ", part) and not part.startswith(("1.", "1)"))
        result += ("\n" if goes_on else "\n\n") + part
    return result


def what_follows(rest: Sequence[Piece], missing: str, url: str | None) -> str:
    steps = sum(piece.steps for piece in rest)
    words = missing or "There is more in the article"
    if steps:
        follow = f"{steps} more step{'s' if steps > 1 else ''} follow{'' if steps > 1 else 's'}"
        words = f"{missing}, and {follow}" if missing else follow
    return f"_{words}._" if not url else f"_{words}:_ {url}"
