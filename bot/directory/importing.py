"""Taking in an administrator's feed: accounts, what is known of people, and bindings."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from bot.directory.demo import DemoDirectory
from bot.directory.directory import Directory
from bot.directory.feed import ImportReport, PersonFeed, check_unique
from bot.directory.records import Binding, PersonRecord, binding_of, bindings_of_account
from bot.directory.seeds import Seeds
from bot.errors import BotError
from store import Database


class NotInTheDirectory(BotError):
    """The directory has no such account."""


class Importer:
    """Takes entries one by one; the same entry again changes nothing."""

    def __init__(self, *, database: Database, directory: Directory, seeds: Seeds, now: Callable[[], datetime]) -> None:
        self._database = database
        self._directory = directory
        self._seeds = seeds
        self._now = now

    def take_all(self, people: Sequence[PersonFeed]) -> ImportReport:
        """Errors: `FeedInvalid`, and nothing is taken; what the directory refuses is in the report."""
        check_unique(people)
        counts: Counter[str] = Counter()
        failed: list[tuple[str, str]] = []
        for entry in people:
            try:
                counts[self._take(entry)] += 1
            except BotError as error:
                failed.append((entry.account, str(error)))
        return ImportReport(counts["added"], counts["changed"], counts["unchanged"], tuple(failed))

    def _take(self, entry: PersonFeed) -> str:
        directory_id, changed = self._in_the_directory(entry)
        with self._database.transaction() as session:
            known = session.get(PersonRecord, entry.account)
            person = known or PersonRecord(account=entry.account)
            changed |= self._write(session, person, entry, directory_id)
            bound, restored = self._bind(session, entry, directory_id)
        if restored and isinstance(self._directory, DemoDirectory):
            self._directory.enable(directory_id)
        if known is None:
            return "added"
        return "changed" if changed or bound else "unchanged"

    def _in_the_directory(self, entry: PersonFeed) -> tuple[str, bool]:
        if isinstance(self._directory, DemoDirectory):
            return self._directory.take(entry)
        found = self._directory.find(entry.account)
        if found is None:
            raise NotInTheDirectory(f"The directory has no account {entry.account}.")
        return found.directory_id, False

    def _write(self, session: Session, person: PersonRecord, entry: PersonFeed, directory_id: str) -> bool:
        known = person.directory_id is not None
        seed = self._seeds.open(person.factor_seed) if person.factor_seed else None
        lost = self._seeds.open(person.lost_seed) if person.lost_seed else None
        new_seed = entry.totp_secret is not None and entry.totp_secret not in (seed, lost)
        recovery = new_seed or list(entry.emails) != list(person.emails or ())
        person.directory_id = directory_id
        person.name, person.manager, person.privileged = entry.name, entry.manager, entry.privileged
        person.emails, person.groups = list(entry.emails), list(entry.groups)
        if new_seed and entry.totp_secret is not None:
            person.factor_seed = self._seeds.seal(entry.totp_secret)
        if known and recovery:
            person.recovery_changed_at = self._now()
        session.add(person)
        return session.is_modified(person)

    def _bind(self, session: Session, entry: PersonFeed, directory_id: str) -> tuple[bool, bool]:
        """Whether the binding changed, and whether a suspended one is good again."""
        changed = False
        for old in bindings_of_account(session, entry.team_id, entry.account):
            if old.slack_user_id != entry.slack_user_id:
                session.delete(old)
                changed = True
        if not entry.slack_user_id or not entry.team_id:
            return changed, False
        bound_at = entry.bound_at or self._now()
        binding = binding_of(session, entry.team_id, entry.slack_user_id, locked=True)
        if binding is not None and (binding.directory_id, binding.account) != (directory_id, entry.account):
            if binding.account == entry.account and bound_at <= binding.bound_at:
                # The account was made anew under its old name; an old date vouches for its old owner.
                bound_at = self._now()
            session.delete(binding)
            session.flush()
            binding = None
        if binding is None:
            session.add(
                Binding(
                    team_id=entry.team_id,
                    slack_user_id=entry.slack_user_id,
                    directory_id=directory_id,
                    account=entry.account,
                    bound_at=bound_at,
                )
            )
            return True, False
        if entry.bound_at is None or entry.bound_at == binding.bound_at:
            return changed, False
        restored = binding.suspended_at is not None and entry.bound_at > binding.suspended_at
        binding.bound_at = entry.bound_at
        if restored:
            binding.suspended_at = binding.suspended_why = binding.seen_at = binding.slack_email = None
        return True, restored
