"""Okta, by its management API (https://developer.okta.com/docs/api/): the only place that knows its words.

The API token has the rights of the account that made it. Let that account hold roles over ordinary people and ordinary
groups only: then Okta refuses, too, what the desk refuses. Whoever holds any administrator's role, also by a group, is
privileged; without the right to read roles, everybody is.

An account's own page is current. Searches, and who is in which group, follow changes within about a second.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from bot.directory.directory import Ability, DirectoryRefused, DirectoryUnavailable, Group, PasswordRefused, Person
from bot.directory.http import Api, Json, NotThere, Refused
from bot.directory.settings import DirectoryMisconfigured, DirectorySettings

PAGE = 200
OKTA_ID = re.compile(r"[0-9A-Za-z]{16,32}")
"""Where Okta wants an id it also takes a login, the beginning of one, and `me`."""
ENABLED = frozenset({"ACTIVE", "LOCKED_OUT", "PASSWORD_EXPIRED", "RECOVERY"})
LOCKED = "LOCKED_OUT"
OWN_GROUP, IMPORTED_GROUP, BUILT_IN_GROUP = "OKTA_GROUP", "APP_GROUP", "BUILT_IN"
NO_RIGHT = "E0000006"
NOT_SHOWN = "The directory doesn't show me this account or group."


class OktaDirectory:
    """Satisfies `Directory`. Groups don't nest in Okta. `check_password` is for nobody but the person: Okta's sign-in
    has rules of its own, and a wrong try counts towards a lock."""

    abilities = frozenset({Ability.PASSWORD, Ability.UNLOCK, Ability.SESSIONS, Ability.GROUPS})

    def __init__(self, settings: DirectorySettings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Errors: `DirectoryMisconfigured`; the server isn't asked yet."""
        token = settings.okta_token.get_secret_value() if settings.okta_token else ""
        if not token:
            raise DirectoryMisconfigured("Okta needs DESKMATE_OKTA_URL and DESKMATE_OKTA_TOKEN.")

        def authorization(anew: bool) -> Mapping[str, str]:
            return {"Authorization": f"SSWS {token}", "Accept": "application/json"}

        self._api = Api(
            f"{(settings.okta_url or '').rstrip('/')}/api/v1",
            setting="DESKMATE_OKTA_URL",
            authorization=authorization,
            sleep=sleep,
        )
        self._privileged = settings.privileged_groups

    def find(self, account: str) -> Person | None:
        found = self._by_login(account)
        return self._person(found) if found else None

    def get(self, directory_id: str) -> Person | None:
        try:
            return self._person(self._user(directory_id))
        except NotThere:
            return None

    # Passwords

    def set_password(self, directory_id: str, new: str) -> None:
        self._kept_by_okta(directory_id)
        try:
            self._api.send(
                "POST",
                f"users/{directory_id}",
                {"credentials": {"password": {"value": new}}},
                params={"strict": "true"},  # or Okta forgets about old passwords and the least age when we set one
            )
        except Refused as error:
            raise PasswordRefused(refusal(error.said)) from error

    def check_password(self, directory_id: str, password: str) -> bool:
        raise DirectoryRefused("Okta doesn't let me try a password.")

    def password_marker(self, directory_id: str) -> str:
        return f"changed {self._user(directory_id).get('passwordChanged')}"

    # Signing in

    def disable(self, directory_id: str) -> None:
        """Okta suspends active accounts only, so a locked one is unlocked first."""
        status = self._status(directory_id)
        if status not in ENABLED:
            return
        if status == LOCKED:
            self.unlock(directory_id)
        try:
            self._api.send("POST", f"users/{directory_id}/lifecycle/suspend")
        except Refused as error:
            if self._status(directory_id) in ENABLED:
                raise DirectoryRefused("Okta doesn't let me suspend this account as it is.") from error

    def is_locked(self, directory_id: str) -> bool:
        return self._status(directory_id) == LOCKED

    def unlock(self, directory_id: str) -> None:
        if not self.is_locked(directory_id):
            return
        try:
            self._api.send("POST", f"users/{directory_id}/lifecycle/unlock")
        except Refused as error:
            if self.is_locked(directory_id):
                raise DirectoryRefused("Okta doesn't let me unlock this account.") from error

    def end_sessions(self, directory_id: str) -> None:
        """Okta's sessions and the tokens that it has issued; what an application keeps by itself goes on."""
        self._user(directory_id)
        self._api.send("DELETE", f"users/{directory_id}/sessions", params={"oauthTokens": "true"})

    # Groups

    def group(self, name: str) -> Group | None:
        """Of several that have the name, the one that Okta itself keeps."""
        if not name or not name.isprintable():
            return None
        found = self._list("groups", search=f"profile.name eq {quoted(name)}", limit=PAGE)
        named = [group for group in found if name_of(group).casefold() == name.casefold()]
        chosen = [group for group in named if group.get("type") == OWN_GROUP] or named
        if len(chosen) > 1:
            raise DirectoryUnavailable("The directory has more than one group of that name.")
        if not chosen:
            return None
        group_id = str(chosen[0]["id"])
        return Group(
            group_id=group_id,
            name=name_of(chosen[0]),
            description=str(chosen[0]["profile"].get("description") or ""),
            owners=tuple(dict.fromkeys(self._owners(group_id))),
            privileged=self._has_rights(f"groups/{group_id}", chosen),
        )

    def is_member(self, directory_id: str, group_id: str) -> bool:
        """As Okta says now; after a change it may take a moment to say otherwise, so whoever makes sure of one asks
        again before it counts as undone."""
        self._group(group_id)
        return any(group["id"] == group_id for group in self._groups(self._user(directory_id)))

    def add_member(self, directory_id: str, group_id: str) -> None:
        self._changeable(group_id)
        self._api.send("PUT", f"groups/{group_id}/users/{self._user(directory_id)['id']}")

    def remove_member(self, directory_id: str, group_id: str) -> None:
        self._changeable(group_id)
        try:
            self._api.send("DELETE", f"groups/{group_id}/users/{self._user(directory_id)['id']}")
        except NotThere:
            if self.is_member(directory_id, group_id):
                raise

    def _changeable(self, group_id: str) -> None:
        kind = self._group(group_id).get("type")
        if kind == IMPORTED_GROUP:
            raise DirectoryRefused(
                "Okta has this group from another system, such as Active Directory; who is in it is changed there."
            )
        if kind != OWN_GROUP:
            raise DirectoryRefused("Okta decides by itself who is in this group.")

    def _owners(self, group_id: str) -> Iterator[str]:
        """Logins; of a group that owns the group, those of its members."""
        try:
            owners = self._api.listed(f"groups/{group_id}/owners", limit=PAGE)
        except (NotThere, Refused):
            return  # not every organisation has owners
        for owner in owners:
            try:
                if owner.get("type") == "GROUP":
                    for member in self._list(f"groups/{checked(owner.get('id'))}/users", limit=PAGE):
                        yield login_of(member)
                else:
                    yield login_of(self._user(owner.get("id")))
            except NotThere:
                continue

    # Look-ups

    def _by_login(self, account: str) -> Json | None:
        """The account's page is current, but not to be had by a login with a slash; dots would be another path."""
        if not account.strip(".") or not account.isprintable():
            return None
        if "/" in account:
            found = self._list("users", search=f"profile.login eq {quoted(account)}", limit=PAGE)
        else:
            try:
                found = [self._read(f"users/{quote(account, safe='')}")]
            except NotThere:
                return None
        return next((user for user in found if login_of(user).casefold() == account.casefold()), None)

    def _read(self, path: str) -> Json:
        try:
            return self._api.get(path)
        except Refused as error:
            raise DirectoryUnavailable(NOT_SHOWN) from error

    def _list(self, path: str, **params: str | int) -> list[Json]:
        try:
            return self._api.listed(path, **params)
        except Refused as error:
            raise DirectoryUnavailable(NOT_SHOWN) from error

    def _user(self, directory_id: object) -> Json:
        return self._exactly("users", directory_id)

    def _group(self, group_id: object) -> Json:
        return self._exactly("groups", group_id)

    def _exactly(self, kind: str, wanted: object) -> Json:
        found = self._read(f"{kind}/{checked(wanted)}")
        if found.get("id") != wanted:
            raise NotThere("The directory doesn't know this account or group any more.")
        return found

    def _status(self, directory_id: str) -> str:
        return str(self._user(directory_id).get("status"))

    def _kept_by_okta(self, directory_id: str) -> None:
        provider = (self._user(directory_id).get("credentials") or {}).get("provider") or {}
        if provider.get("type", "OKTA") != "OKTA":
            raise PasswordRefused("Another system keeps this account's password; it is changed there.")

    def _person(self, user: Json) -> Person:
        profile, login = user["profile"], login_of(user)
        try:
            groups = self._groups(user)
            privileged = self._has_rights(f"users/{user['id']}", groups)
        except DirectoryUnavailable:
            groups, privileged = [], True
        full_name = " ".join(filter(None, (profile.get("firstName"), profile.get("lastName"))))
        return Person(
            directory_id=user["id"],
            account=login,
            name=profile.get("displayName") or full_name or login,
            emails=tuple(dict.fromkeys(filter(None, (profile.get("email"), profile.get("secondEmail"))))),
            groups=frozenset(name_of(group) for group in groups if group.get("type") != BUILT_IN_GROUP),
            manager=self._manager(profile),
            enabled=user.get("status") in ENABLED,
            privileged=privileged,
        )

    def _groups(self, user: Json) -> list[Json]:
        return self._list(f"users/{user['id']}/groups", limit=PAGE)

    def _has_rights(self, path: str, groups: list[Json]) -> bool:
        """Whether there is any administrator's role at this account or group (an account's list has also those that it
        has by a group), or one of the groups is among the privileged ones."""
        if any({name_of(group).casefold(), str(group["id"]).casefold()} & self._privileged for group in groups):
            return True
        try:
            return bool(self._list(f"{path}/roles"))
        except DirectoryUnavailable:
            return True

    def _manager(self, profile: Json) -> str | None:
        """Okta's `managerId` holds an id or a login, as the organisation likes it; `manager` may be any text."""
        for value in (str(profile.get(field) or "") for field in ("managerId", "manager")):
            try:
                found = self._user(value) if OKTA_ID.fullmatch(value) else self._by_login(value)
            except NotThere:
                found = None
            if found:
                return login_of(found)
        return None


def checked(wanted: object) -> str:
    """An id that can't be taken for anything else in an address. Errors: `NotThere`."""
    if not isinstance(wanted, str) or not OKTA_ID.fullmatch(wanted):
        raise NotThere("The directory doesn't know this account or group any more.")
    return wanted


def quoted(text: str) -> str:
    """A string of Okta's search expressions."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def login_of(user: Json) -> str:
    return str(user["profile"]["login"])


def name_of(group: Json) -> str:
    return str(group["profile"]["name"])


def refusal(answer: str) -> str:
    """Okta's reason in words of ours; its own text repeats the whole policy, and nobody knows what else."""
    try:
        said = json.loads(answer)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        said = {}
    if said.get("errorCode") == NO_RIGHT:
        return "The directory doesn't let me change this account's password."
    causes: list[Any] = said.get("errorCauses") or []
    text = " ".join(str(cause.get("errorSummary")) for cause in causes if isinstance(cause, dict)).casefold()
    if "used too recently" in text:
        return "The directory remembers this password from before. Choose one that you haven't used."
    if "changed too recently" in text or "minimum age" in text:
        return "The directory doesn't allow another change of the password so soon."
    if "commonly used" in text:
        return "The directory finds this password too common."
    return "The directory's policy doesn't allow this password."
