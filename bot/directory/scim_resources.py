"""SCIM's resources (RFC 7644): read to the last page, found by filter, changed only if they stand as they did."""

import json
from collections.abc import Callable
from typing import Literal
from urllib.parse import quote

from bot.directory.directory import DirectoryRefused, DirectoryUnavailable
from bot.directory.http import Api, Conflict, Json, NotThere

PAGE = 200
MOST_PAGES = 100
TRIES = 3
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

Kind = Literal["User", "Group"]


class NotRead(DirectoryUnavailable):
    """The directory doesn't answer this question, or not to this service account."""


class Resources:
    """What comes back is the server's JSON, unchecked but for its id."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get(self, kind: Kind, resource_id: str) -> Json | None:
        """None only if the server has such resources, but not this one: at a wrong base URL everything is 404."""
        if not resource_id.strip("."):
            return None  # an empty id is the list, `..` another place
        try:
            found = self._read(at(kind, resource_id))
        except NotThere:
            self._read(f"{kind}s", startIndex=1, count=1)
            return None
        if found.get("id") != resource_id:
            raise DirectoryUnavailable("The directory answered with something else than it was asked for.")
        return found

    def held(self, kind: Kind, resource_id: str) -> Json:
        """Errors: `NotThere`."""
        found = self.get(kind, resource_id)
        if found is None:
            raise NotThere("The directory doesn't know this account or group any more.")
        return found

    def where(self, kind: Kind, attribute: str, value: str, *, without: str | None = None) -> list[Json]:
        """All for which the server says that the attribute has this value; `without` is left out of the answer.

        Errors: `NotRead` if the server doesn't filter by this attribute.
        """
        more = {"excludedAttributes": without} if without else {}
        return self.every(kind, filter=f"{attribute} eq {literal(value)}", **more)

    def every(self, kind: Kind, **params: str) -> list[Json]:
        """Page after page. Pages are counted by index and nothing holds them still (RFC 7644, 3.4.2.4): what shows
        that one was missed is an error, since a missed group might have been the one with special rights."""
        found: list[Json] = []
        total: int | None = None
        for _ in range(MOST_PAGES):
            start = len(found) + 1
            page = self._read(f"{kind}s", startIndex=start, count=PAGE, **params)
            fresh, promised = page.get("Resources") or [], page.get("totalResults")
            if not isinstance(promised, int) or not isinstance(fresh, list):
                raise DirectoryUnavailable("The directory answered a search with something that isn't a list.")
            found += fresh
            elsewhere = start > 1 and page.get("startIndex", start) != start
            if elsewhere or total not in (None, promised) or len(found) > promised:
                raise DirectoryUnavailable("The directory's list changed while I read it.")
            if len(found) == promised:
                if len({str(one.get("id")) for one in found}) < promised:
                    raise DirectoryUnavailable("The directory's list changed while I read it.")
                return found
            if not fresh:
                raise DirectoryUnavailable("The directory doesn't give all that it has found.")
            total = promised
        raise DirectoryUnavailable("The directory has found too many to read them all.")

    def change(self, kind: Kind, resource_id: str, operation: Json, *, done: Callable[[Json], bool]) -> None:
        """One operation of PATCH, unless it is `done` already.

        With the version that was read, if the server gives versions; when it has moved, everything is read again.
        Errors: `NotThere`, `Conflict`, `DirectoryRefused`, `DirectoryUnavailable`.
        """
        for _ in range(TRIES):
            found = self.held(kind, resource_id)
            if done(found):
                return
            version = inner(found, "meta").get("version")
            headers = {"If-Match": version} if isinstance(version, str) and version else {}
            body = {"schemas": [PATCH_OP], "Operations": [operation]}
            try:
                self._api.send("PATCH", at(kind, resource_id), body, headers=headers)
                return
            except Conflict:
                continue
        raise Conflict("The directory keeps changing this account or group. Try again in a minute.")

    def _read(self, path: str, **params: str | int) -> Json:
        try:
            return self._api.get(path, **params)
        except DirectoryRefused as error:
            raise NotRead("The directory doesn't answer this question.") from error


def at(kind: Kind, resource_id: str) -> str:
    return f"{kind}s/{quote(resource_id, safe='')}"


def literal(value: str) -> str:
    """A filter's value is a JSON string (RFC 7644, 3.4.2.2)."""
    return json.dumps(value, ensure_ascii=False)


def inner(found: Json, attribute: str) -> Json:
    """A complex attribute; empty where there is none."""
    value = found.get(attribute)
    return value if isinstance(value, dict) else {}


def many(found: Json, attribute: str) -> list[Json]:
    """A complex attribute with several values."""
    values = found.get(attribute)
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def text(found: Json, attribute: str) -> str:
    """Empty where there is none. Ids that a server writes as numbers are none."""
    value = found.get(attribute)
    return value if isinstance(value, str) else ""
