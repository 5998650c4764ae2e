"""The town in the built-in directory."""

from bot.directory.demo import DemoDirectory
from bot.directory.feed import PersonFeed
from bot.directory.records import demo_account
from store import Database
from tests.directory.town import DESIGN_TOOLS, OLD, id_of


class DemoTown:
    """Satisfies `Town`."""

    def __init__(self, database: Database) -> None:
        self.directory = DemoDirectory(database, privileged_groups=frozenset({"admins"}))
        self._database = database
        self.directory.take_group("design-tools", description=DESIGN_TOOLS, owners=("victor",))
        self._add("alice", ("staff",))
        self._add("victor", ("staff", "design-tools"))
        self._add("adam", ("staff", "admins"))
        self._add("nina", ("staff", "night-shift", "admins"))

    def _add(self, account: str, groups: tuple[str, ...]) -> None:
        manager = "victor" if account == "alice" else None
        mail = (f"{account}@harbour.example",)
        self.directory.take(
            PersonFeed(account=account, name=account.title(), emails=mail, groups=groups, manager=manager, password=OLD)
        )

    def recreate(self, account: str) -> None:
        with self._database.transaction() as session:
            session.delete(demo_account(session, account))
        self._add(account, ("staff",))

    def lock(self, account: str) -> None:
        self.directory.lock(id_of(self, account))

    def signs_in(self, account: str, password: str) -> bool:
        return self.directory.check_password(id_of(self, account), password)

    def sessions(self, account: str) -> int:
        return int(self.directory.sessions_ended_at(id_of(self, account)) is None)
