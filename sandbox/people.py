"""Who works at Harbour & Pine: three people unless a file names others."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.errors import BadStateFile
from sandbox.objects import User

FIELDS = ("account", "team_id", "emails", "role", "totp_secret", "title", "display_name")
FLAGS = ("is_restricted", "is_ultra_restricted", "deleted")


DEMO_SEED = "JBSWY3DPEHPK3PXP"


def default_people() -> list[User]:
    return [
        User("U0ALICE", "Alice Adams", "alice.adams", emails=["alice.adams@example.com"], totp_secret=DEMO_SEED),
        User("U0BOB", "Bob Brown", "bob.brown", emails=["bob.brown@example.com"], role="agent"),
        User("U0CAROL", "Carol Clark", "carol.clark", emails=["carol.clark@example.com"], role="knowledge manager"),
    ]


def people_of(path: Path | None) -> list[User]:
    """The people of a JSON file; unknown fields are ignored, entries without a Slack user id left out.

    Raises BadStateFile when the file isn't such a list.
    """
    if path is None:
        return default_people()
    try:
        entries = json.loads(path.read_text())
        return [_person(entry) for entry in entries if entry.get("slack_user_id")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadStateFile(f"{path} is not a list of people: {error}") from error


def _person(entry: Mapping[str, Any]) -> User:
    known = {name: entry[name] for name in (*FIELDS, *FLAGS) if entry.get(name) is not None}
    return User(id=str(entry["slack_user_id"]), name=str(entry.get("name") or entry["account"]), **known)
