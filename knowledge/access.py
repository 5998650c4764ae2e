"""Who may see an article. Whatever isn't plainly allowed is refused."""

import hashlib
from collections.abc import Collection
from typing import Any

EVERYBODY = ""


def key_of(access: Collection[str]) -> str:
    """The name of the set of articles with exactly this access; it goes into the name of a collection."""
    if not access:
        return EVERYBODY
    return hashlib.sha256("\n".join(sorted(set(access))).encode()).hexdigest()[:24]


def is_well_formed(access: Any) -> bool:
    """A list or tuple of non-empty strings; empty means everybody."""
    return isinstance(access, list | tuple) and all(isinstance(group, str) and group.strip() for group in access)


def may_see(groups: frozenset[str], access: Any) -> bool:
    """True if everybody may, or the person is in one of the groups; False for anything malformed."""
    return is_well_formed(access) and (not access or any(group in groups for group in access))
