"""The generation that answers, with its model: a pair that is swapped as one, and never mixed."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import RLock

from knowledge.embedder import Embedder, exported_model
from knowledge.errors import ModelUnavailable, OtherModel
from knowledge.generation import Generation, name_of
from knowledge.generations import active, adopt, stored
from knowledge.index_folder import FolderKeeper
from knowledge.settings import KnowledgeSettings
from store import Database

log = logging.getLogger(__name__)

MODELS = "models"  # the folder of the home where trained models are


class Pair:
    """A model and the generation that it made. `registered`: whether SQL says that this one answers."""

    def __init__(self, embedder: Embedder, generation: Generation, spec: str, *, registered: bool) -> None:
        self.embedder, self.generation, self.spec, self.registered = embedder, generation, spec, registered
        self.users = 0
        self.left = False


class Current:
    """Safe to share between threads. A question holds the pair that it began with until it is answered."""

    def __init__(self, database: Database, settings: KnowledgeSettings, *, brief: bool = False) -> None:
        self._brief = brief
        self._database = database
        self._settings = settings
        self._folders = FolderKeeper(settings.index_folder)
        self._opening = RLock()
        self._swapping = RLock()
        self._pair: Pair | None = None

    @contextmanager
    def held(self) -> Iterator[Pair]:
        """Errors: those of `opened`."""
        with self._opening:
            pair = self.opened()
            pair.users += 1
        try:
            yield pair
        finally:
            with self._opening:
                pair.users -= 1
                unused = pair.left and not pair.users
            if unused:
                pair.generation.close()

    def opened(self) -> Pair:
        """What answers now; on first use what SQL says, or what the settings say of an empty knowledge base.

        Errors: `OtherModel`, `ModelUnavailable`.
        """
        with self._opening:
            if self._pair is None:
                self._pair = self._open()
            return self._pair

    @property
    def owns_index(self) -> bool:
        return self._pair is not None and self._pair.generation.owns_index

    def refresh(self) -> bool:
        """Apply what was committed since, and follow a switch: the new pair is made ready aside, while the old one
        answers. True when there was something."""
        with self._swapping:
            pair = self.opened()
            moved = pair.generation.refresh()
            return self.follow() or moved

    def follow(self) -> bool:
        """The switch alone; True when there was one."""
        with self._swapping:
            pair = self.opened()
            with self._database.reading() as session:
                kept = active(session)
            if kept is None or kept.name == pair.generation.name:
                pair.registered = kept is not None
                return False
            fresh = self._open()
            fresh.generation.refresh()
            fresh.embedder.encode_question("warm")
            log.info("The index %s answers from now on, instead of %s", kept.name, pair.generation.name)
            with self._opening:
                self._pair, pair.left = fresh, True
                unused = not pair.users
            if unused:
                pair.generation.close()
            return True

    def adopt(self, now: datetime) -> None:
        """Register what answers as the active generation, in a knowledge base that has articles and none registered.

        Errors: those of `opened`.
        """
        pair = self.opened()
        if pair.registered:
            return
        with self._database.transaction() as session:
            if pair.generation.name in stored(session):
                adopt(session, pair.generation.name, pair.spec, now)
                pair.registered = True

    def close(self) -> None:
        """Let go of the index folder."""
        with self._opening:
            if self._pair is not None:
                self._pair.generation.close()
            self._pair = None

    def _open(self) -> Pair:
        configured = name_to_keep(self._settings.embedder, self._settings)
        with self._database.reading() as session:
            kept = active(session)
            there = [] if kept else stored(session)
        spec = kept.embedder if kept else configured
        embedder = open_model(spec, self._settings)
        name = kept.name if kept else adopted(there, embedder)
        if not name.startswith(f"{embedder.name}.c"):
            raise OtherModel(
                f"The articles were embedded with {name}, but {spec or 'the bundled model'} is {embedder.name} now."
                " Run `deskmate index build` and `deskmate index switch`, or bring the earlier model back."
            )
        if configured and configured != spec:
            log.warning(
                "DESKMATE_EMBEDDER is %s, but the index in use is %s. To use that model, run `deskmate index build`"
                " and `deskmate index switch`.",
                configured,
                name,
            )
        generation = Generation(
            self._database, self._settings, name, embedder.dimension, self._folders, brief=self._brief
        )
        return Pair(embedder, generation, spec, registered=kept is not None)


def open_model(spec: str, settings: KnowledgeSettings) -> Embedder:
    """By name or path; empty is the bundled one. Errors: `ModelUnavailable`."""
    return Embedder(exported_model(name_or_path(spec, settings), settings.models))


def name_or_path(spec: str, settings: KnowledgeSettings) -> str:
    """The absolute path of a folder, which may be given relative to the home or to where we are; otherwise the name as
    it is. Errors: `ModelUnavailable` for a model of the home that isn't there."""
    for folder in (settings.home / spec, Path(spec)):
        if spec and folder.is_dir():
            return os.path.abspath(folder)
    if spec.startswith(f"{MODELS}/"):
        raise ModelUnavailable(f"The embedding model {spec} isn't in {settings.home}. Bring its folder there.")
    return spec


def name_to_keep(spec: str, settings: KnowledgeSettings) -> str:
    """As SQL keeps it: a folder in the home relative to that, so that a home can be moved, another one absolute."""
    path, home = name_or_path(spec, settings), os.path.abspath(settings.home)
    return os.path.relpath(path, home) if path.startswith(home + os.sep) else path


def adopted(there: list[str], embedder: Embedder) -> str:
    """The generation of a knowledge base that has none registered: the configured one, or an older one of the same
    model. Errors: `OtherModel` when all passages are of other models."""
    wanted = name_of(embedder)
    if not there or wanted in there:
        return wanted
    for name in there:
        if name.startswith(f"{embedder.name}.c"):
            return name
    raise OtherModel(
        f"The knowledge base was embedded with {there[0]}, but {wanted} is configured. Set DESKMATE_EMBEDDER back, and"
        " run `deskmate index build --embedder NAME` for the other model, then `deskmate index switch`."
    )
