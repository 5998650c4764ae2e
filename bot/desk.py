"""Everything a listener or a turn works with, wired once in `deskmate`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.handoff import Triage
from bot.people import People
from bot.proposing import Proposer
from bot.routines.correcting import Correcting
from bot.routing import Router
from bot.settings import BotSettings
from bot.slack import Slack
from bot.workflows.workflow import Workflow
from knowledge.grounded import Grounded
from knowledge.library import Library
from store import Database
from store.durable import Durable


@dataclass(frozen=True)
class Desk:
    database: Database
    slack: Slack
    library: Library
    durable: Durable
    people: People
    workflows: tuple[Workflow, ...]
    router: Router
    triage: Triage
    settings: BotSettings
    files: Path
    """Where attachments of tickets are kept."""
    now: Callable[[], datetime]
    grounded: Grounded | None = None
    """What words answers anew, with a language model; without one, answers are in the articles' words."""
    corrections: Correcting | None = None
    """Of routine requests, in words."""
    proposer: Proposer | None = None
    """What asks a language model whether a message that is nearly a routine request is one."""

    def workflow(self, name: str) -> Workflow:
        return next(workflow for workflow in self.workflows if workflow.name == name)
