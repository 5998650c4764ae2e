"""Routine requests without Slack and without the durable runtime: their rules alone, quick enough for many trials."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from pydantic import BaseModel

from bot.directory.demo import DemoDirectory
from bot.directory.directory import Ability, Directory, DirectoryUnavailable
from bot.directory.feed import PersonFeed
from bot.directory.records import Binding
from bot.once.links import Links
from bot.people import Employee, People
from bot.records import Conversation
from bot.routines.approving import Approving
from bot.routines.carrying_out import CarryingOut
from bot.routines.course import Course
from bot.routines.memberships import BeIn, JoinGroup
from bot.routines.offers import Offer, Offers
from bot.routines.office import Office
from bot.routines.records import Approval, RoutineRequest, approvals_of
from bot.routines.routine import Risk, Routine
from bot.routines.step_up import Assurance
from bot.routines.switches import Switches
from bot.workflows.eligibility import Eligibility
from bot.workflows.limits import Limits
from store import Database
from store.durable import Durable
from store.durable_json import StepFailed
from tests.bot.conftest import ALICE

TEAM = "T0SHOP"
GROUPS = ("one", "two", "three")


class Trouble:
    """A directory in which named calls fail: before they are done, or after."""

    def __init__(self, directory: DemoDirectory) -> None:
        self._directory = directory
        self.before: dict[str, int] = {}
        """How often the next calls of this method fail, before anything is done."""
        self.after: dict[str, int] = {}
        """The same, after it was done: the answer is lost."""
        self.changes: list[tuple[str, str, str]] = []

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._directory, name)
        if name not in ("add_member", "remove_member"):
            return real

        def call(person: str, group: str) -> None:
            if self.before.get(group + name, 0) > 0:
                self.before[group + name] -= 1
                raise DirectoryUnavailable("no answer")
            self.changes.append((name, person, group))
            real(person, group)
            if self.after.get(group + name, 0) > 0:
                self.after[group + name] -= 1
                raise DirectoryUnavailable("the answer was lost")

        return call


@dataclass
class Inline:
    """Satisfies what a course needs of `Durable`: everything is done at once, and tried again without a pause."""

    started: set[str] = field(default_factory=set)

    def workflow(self, name: str, function: Callable[..., None]) -> Callable[..., None]:
        return function

    def start(self, workflow: Callable[..., None], *args: Any, key: str) -> None:
        if key not in self.started:
            self.started.add(key)
            workflow(*args)

    def step(self, name: str, function: Callable[..., Any], *args: Any, retries: int, transient: Any) -> Any:
        for attempt in range(retries + 1):
            try:
                return function(*args)
            except Exception as error:
                if not isinstance(error, transient) or attempt == retries:
                    raise StepFailed(type(error).__name__, str(error), isinstance(error, transient)) from error
        return None


class Silent:
    """Stands for Slack's news, mail, and the agents: it keeps what was said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.available = False
        self.stuck: list[str] = []
        self.agents: set[str] = set()

    def show_card(self, routine: Any, request: str, page: str) -> None: ...
    def show_approval(self, routine: Any, approval: int) -> None: ...
    def show_tasks(self, routine: Any, request: str, channel: str | None) -> None: ...
    def remind(self, approval: int, day: str) -> None: ...
    def remind_of_tasks(self, request: str, key: str) -> None: ...
    def announce(self, ticket: str) -> None: ...
    def mail(self, **_: Any) -> None: ...
    def channel(self) -> str:
        return "C0TRIAGE"

    def is_agent(self, user: str) -> bool:
        return user in self.agents

    def say(self, request: str, key: str, text: str) -> None:
        self.said.append((key, text))

    def open(self, session: Any, *, handoff: Any, **_: Any) -> str:
        self.stuck.append(handoff.summary)
        return "INC0000099"


class Several(BaseModel):
    groups: tuple[str, ...] = GROUPS


class JoinSeveral(Routine[Several]):
    """Several steps, of which any may fail."""

    name = "several"
    title = "Join several groups"
    examples = ()
    risk = Risk.LOW
    needs = frozenset({Ability.GROUPS})
    undone_by = "the same way"
    Wish = Several

    def asks(self, wish: Several, whom: str = "you") -> str:
        return f"Put {whom} into several groups"

    def steps(self, wish: Several, offers: Offers) -> list[BeIn]:
        return [BeIn(offer) for name in wish.groups if (offer := offers.find("group", name))]


class Shop:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.moved = timedelta()
        self.demo = DemoDirectory(database, privileged_groups=frozenset({"admins"}))
        self.directory = Trouble(self.demo)
        for name in (*GROUPS, "reviewed", "admins"):
            self.demo.take_group(name, owners=("carol",))
        self.people: dict[str, str] = {}
        for account, manager in (("alice", "dana"), ("dana", "bob"), ("bob", None), ("carol", None)):
            self.add(account, manager)
        offers = [Offer(kind="group", name=name, group=name, approvers=()) for name in GROUPS]
        offers.append(Offer(kind="group", name="reviewed", group="reviewed", approvers=("manager",)))
        offers.append(Offer(kind="group", name="admins", group="admins", approvers=()))
        self.offers = Offers(offers)
        self.news = Silent()
        self.refused: dict[str, str] = {}
        directory = cast(Directory, self.directory)
        carrying = CarryingOut(
            database=database,
            directory=directory,
            directory_name="demo",
            offers=self.offers,
            switches=Switches(database),
            now=self.now,
            sleep=lambda _: None,
        )
        people = cast(People, self)
        self.approving = Approving(
            database=database, directory=directory, people=people, carrying=carrying, now=self.now
        )
        self.office = Office(
            database=database,
            slack=cast(Any, self.news),
            people=people,
            triage=cast(Any, self.news),
            notices=cast(Any, self.news),
            carrying=carrying,
            approving=self.approving,
            news=cast(Any, self.news),
            assurance=self.assurance(),
            now=self.now,
        )
        with database.transaction() as session:
            place = {"team": TEAM, "channel": "D1", "thread_ts": "1.1", "employee": ALICE, "surface": "im"}
            conversation = Conversation(**place, created_at=self.now(), last_turn_at=self.now())
            session.add(conversation)
            session.flush()
            self.conversation = conversation.id

    def assurance(self) -> Assurance:
        nothing = cast(Any, None)
        eligibility = Eligibility(
            database=self.database,
            people=cast(People, self),
            directory=self.demo,
            notices=cast(Any, self.news),
            limits=Limits(),
            second_factor=nothing,
            workflow="",
            needs=frozenset(),
            switches=Switches(self.database),
            directory_name="demo",
            is_agent=lambda user: False,
            now=self.now,
        )
        links = Links(secret_key="a secret key for tests, long enough", public_url="https://desk.example")
        return Assurance(self.database, links, nothing, eligibility, nothing, self.now)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.moved

    def add(self, account: str, manager: str | None, *, emails: tuple[str, ...] | None = None) -> str:
        mail = emails or (f"{account}@shop.example",)
        directory_id, _ = self.demo.take(
            PersonFeed(account=account, name=account.title(), emails=mail, manager=manager)
        )
        user = f"U0{account.upper()}"
        if account not in self.people:
            with self.database.transaction() as session:
                session.add(
                    Binding(
                        team_id=TEAM,
                        slack_user_id=user,
                        directory_id=directory_id,
                        account=account,
                        bound_at=datetime(2026, 1, 1, tzinfo=UTC),
                    )
                )
        self.people[account] = directory_id
        return directory_id

    def identify(self, *, team: str, user: str, user_team: str | None = None, max_age: float = 60) -> Employee:
        """As `People` does it, but for Slack."""
        account = user.removeprefix("U0").lower()
        person = self.demo.get(self.people[account])
        refusal = self.refused.get(account) or (None if person is not None and person.enabled else "disabled")
        return Employee(team, user, account.title(), account, self.people[account], refusal=refusal)

    def course(self, routine: Routine[Any] | None = None) -> Course:
        made = Course(routine or JoinGroup(), self.office)
        made.register(cast(Durable, Inline()))
        return made

    def request(self, wish: dict[str, Any], *, workflow: str = "group_join", account: str = "alice") -> str:
        with self.database.transaction() as session:
            count = session.query(RoutineRequest).count()
            request = RoutineRequest(
                id=f"{count:032}",
                key=f"turn:{count}",
                workflow=workflow,
                team=TEAM,
                slack_user=f"U0{account.upper()}",
                account=account,
                directory_id=self.people[account],
                name=account.title(),
                conversation_id=self.conversation,
                channel="D1",
                thread_ts="1.1",
                state="drafted",
                wish=wish,
                stage=0,
                created_at=self.now(),
                changed_at=self.now(),
            )
            session.add(request)
        return f"{count:032}"

    def state(self, request: str) -> str:
        with self.database.reading() as session:
            return session.get_one(RoutineRequest, request).state

    def approvals(self, request: str) -> list[Approval]:
        with self.database.reading() as session:
            return list(approvals_of(session, request))

    def is_in(self, group: str, account: str = "alice") -> bool:
        found = self.demo.group(group)
        assert found is not None
        return self.demo.is_member(self.people[account], found.group_id)

    def group_id(self, name: str) -> str:
        found = self.demo.group(name)
        assert found is not None
        return found.group_id


def all_at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """Released together; what each of them gave, or raised."""
    gate, results = threading.Barrier(len(deeds)), [None] * len(deeds)

    def run(number: int, deed: Callable[[], Any]) -> None:
        gate.wait()
        try:
            results[number] = deed()
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            results[number] = cast(Any, error)

    threads = [threading.Thread(target=run, args=(number, deed)) for number, deed in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
