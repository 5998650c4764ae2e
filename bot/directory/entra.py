"""Microsoft Entra ID by Microsoft Graph v1.0, as an application that signs in with its own secret.

The application's permissions bound what it can do, and for passwords and for disabling also its directory role: with
Helpdesk or User Administrator Entra refuses, too, what the desk refuses. `docs/slack-setup.md` lists them.

Graph answers from copies: for a moment after a change a read may still tell how it was.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from bot.directory.client_credentials import ClientCredentials
from bot.directory.directory import (
    Ability,
    DirectoryRefused,
    DirectoryUnavailable,
    Group,
    PasswordRefused,
    Person,
)
from bot.directory.http import Api, Json, NotThere, Refused
from bot.directory.local import is_this_machine
from bot.directory.settings import DirectoryMisconfigured, DirectorySettings

MOST_PAGES = 100
LARGEST_PAGE = 999
USER = "id,userPrincipalName,displayName,mail,otherMails,accountEnabled"
MEMBERSHIP = "id,displayName,isAssignableToRole"
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
TENANT = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]*")
NO_PREMIUM = "AadPremiumLicenseRequired"
"""Without Entra ID P2 there are no roles that somebody could be eligible for, and Graph refuses the question."""
KEPT_ELSEWHERE = "on-premises mastered"
MEMBER_ALREADY = "added object references already exist"


class EntraDirectory:
    """Satisfies `Directory`. An account is a `userPrincipalName`, `directory_id` the object id.

    Nobody's password can be tried by Graph, and a lock after wrong passwords (smart lockout) neither seen nor lifted.
    """

    abilities = frozenset({Ability.PASSWORD, Ability.SESSIONS, Ability.GROUPS})

    def __init__(self, settings: DirectorySettings) -> None:
        """Errors: `DirectoryMisconfigured`; the server isn't asked yet."""
        tenant, client_id, secret = settings.entra_tenant, settings.entra_client_id, settings.entra_client_secret
        if not tenant or not client_id or secret is None or not secret.get_secret_value():
            raise DirectoryMisconfigured(
                "Entra needs DESKMATE_ENTRA_TENANT, DESKMATE_ENTRA_CLIENT_ID and DESKMATE_ENTRA_CLIENT_SECRET."
            )
        if not TENANT.fullmatch(tenant):
            raise DirectoryMisconfigured("DESKMATE_ENTRA_TENANT must be the tenant's id or one of its domains.")
        login = Api(settings.entra_login_url, setting="DESKMATE_ENTRA_LOGIN_URL", authorization=lambda _: {})
        credentials = ClientCredentials(
            login,
            f"{tenant}/oauth2/v2.0/token",
            client_id=client_id,
            secret=secret.get_secret_value,
            scope=scope(settings.entra_graph_url),
        )
        self._graph = settings.entra_graph_url.rstrip("/")
        self._api = Api(self._graph, setting="DESKMATE_ENTRA_GRAPH_URL", authorization=credentials.authorization)
        self._privileged = settings.privileged_groups

    def find(self, account: str) -> Person | None:
        return self._person(self._one("users", "userPrincipalName", account, USER))

    def get(self, directory_id: str) -> Person | None:
        if not UUID.fullmatch(directory_id):
            return None
        try:
            return self._person(self._read(user_path(directory_id), {"$select": USER}))
        except NotThere:
            return None

    def set_password(self, directory_id: str, new: str) -> None:
        profile = {"forceChangePasswordNextSignIn": False, "password": new}
        try:
            self._api.send("PATCH", user_path(directory_id), {"passwordProfile": profile})
        except Refused as error:
            raise PasswordRefused(refusal(error)) from None

    def check_password(self, directory_id: str, password: str) -> bool:
        raise DirectoryRefused("Entra lets nobody try another's password.")

    def password_marker(self, directory_id: str) -> str:
        """`lastPasswordChangeDateTime`, in whole seconds."""
        found = self._read(user_path(directory_id), {"$select": "id,lastPasswordChangeDateTime"})
        changed = text(found, "lastPasswordChangeDateTime")
        if changed is None:
            raise DirectoryUnavailable("The directory doesn't say when the password changed.")
        return f"changed {changed}"

    def disable(self, directory_id: str) -> None:
        try:
            self._api.send("PATCH", user_path(directory_id), {"accountEnabled": False})
        except Refused as error:
            if KEPT_ELSEWHERE in error.said:
                raise DirectoryRefused(
                    "This account is kept in the company's Active Directory, and only there can it be disabled."
                ) from None
            raise

    def is_locked(self, directory_id: str) -> bool:
        """Never, as far as Graph tells."""
        return False

    def unlock(self, directory_id: str) -> None:
        raise DirectoryRefused("Entra lifts a lock by itself after a while, and lets nobody else do it.")

    def end_sessions(self, directory_id: str) -> None:
        """What is open already may stay so for minutes, up to the end of its token (an hour)."""
        if self._api.send("POST", f"{user_path(directory_id)}/revokeSignInSessions").get("value") is False:
            raise DirectoryUnavailable("The directory didn't end the sign-ins.")

    # Groups

    def group(self, name: str) -> Group | None:
        found = self._one("groups", "displayName", name, f"{MEMBERSHIP},description")
        if found is None:
            return None
        path = group_path(found["id"])
        owners = self._all(f"{path}/owners", {"$select": "id,userPrincipalName"})
        return Group(
            group_id=found["id"],
            name=text(found, "displayName") or name,
            description=text(found, "description") or "",
            owners=tuple(account for owner in owners if (account := text(owner, "userPrincipalName"))),
            privileged=self._gives_special_rights(path, found),
        )

    def is_member(self, directory_id: str, group_id: str) -> bool:
        """What a read says now: shortly after a change it may still be what was before."""
        wanted = group_id.casefold()
        held = self._all(f"{user_path(directory_id)}/memberOf", {"$select": "id", "$top": LARGEST_PAGE})
        return any(str(each.get("id")).casefold() == wanted for each in held)

    def add_member(self, directory_id: str, group_id: str) -> None:
        """Done when it returns; `is_member` may say otherwise for some seconds."""
        path = self._changeable(group_id)
        body = {"@odata.id": f"{self._graph}/directoryObjects/{known(directory_id)}"}
        try:
            self._api.send("POST", f"{path}/members/$ref", body)
        except Refused as error:
            if MEMBER_ALREADY not in error.said:
                raise

    def remove_member(self, directory_id: str, group_id: str) -> None:
        """Done when it returns; `is_member` may say otherwise for some seconds."""
        path = self._changeable(group_id)
        try:
            # Without `/$ref` this would delete the account itself.
            self._api.send("DELETE", f"{path}/members/{known(directory_id)}/$ref")
        except NotThere:
            # The group is there; if the account is, too, it isn't in it.
            self._read(user_path(directory_id), {"$select": "id"})

    def _changeable(self, group_id: str) -> str:
        """The group's path. Errors: `NotThere`, and `DirectoryRefused` if its members aren't to be changed here."""
        path = group_path(group_id)
        found = self._read(path, {"$select": "id,groupTypes,mailEnabled,onPremisesSyncEnabled"})
        kinds = found.get("groupTypes") or []
        if "DynamicMembership" in kinds:
            raise DirectoryRefused("Who is in this group follows from a rule in the directory.")
        if found.get("onPremisesSyncEnabled"):
            raise DirectoryRefused("This group is kept in the company's Active Directory, and only changed there.")
        if found.get("mailEnabled") and "Unified" not in kinds:
            raise DirectoryRefused("This group is kept in Exchange, and only changed there.")
        return path

    # Special rights

    def _gives_special_rights(self, path: str, found: Json) -> bool:
        """Whether the group is privileged, or is in one that is."""
        try:
            return self._any_special([found]) or self._any_special(self._memberships(path))
        except DirectoryUnavailable:
            return True

    def _standing(self, directory_id: str) -> tuple[frozenset[str], bool]:
        """Names of all groups that the account is in, and whether it has special rights."""
        try:
            held = list(self._memberships(user_path(directory_id)))
            names = frozenset(name for each in held if is_group(each) and (name := text(each, "displayName")))
            return names, self._any_special(held) or self._has_role(directory_id)
        except DirectoryUnavailable:
            return frozenset(), True

    def _memberships(self, path: str) -> Iterator[Json]:
        """Groups, directory roles and administrative units, also those reached through groups."""
        return self._all(f"{path}/transitiveMemberOf", {"$select": MEMBERSHIP, "$top": LARGEST_PAGE})

    def _any_special(self, held: Iterable[Json]) -> bool:
        """Errors: `DirectoryUnavailable` for a group that Graph shows the id of and nothing else."""
        for each in held:
            if kind(each) == "directoryRole":
                return True
            if not is_group(each):
                continue
            name = text(each, "displayName")
            if name is None:
                raise DirectoryUnavailable("The directory doesn't tell what this group is.")
            named = {name.casefold(), str(each.get("id")).casefold()} & self._privileged
            if each.get("isAssignableToRole") or named:
                return True
        return False

    def _has_role(self, directory_id: str) -> bool:
        """Whether a role was given to the account itself: now, also over a part of the tenant, or to be activated.

        Roles that are given to a group need one that is assignable to roles, and whose members count anyhow.
        """
        holder = {"$filter": f"principalId eq '{directory_id}'"}
        if any(True for _ in self._all("roleManagement/directory/roleAssignments", holder)):
            return True
        try:
            eligible = self._all("roleManagement/directory/roleEligibilityScheduleInstances", holder)
            return any(True for _ in eligible)
        except Unreadable as error:
            if NO_PREMIUM in error.said:
                return False
            raise

    # Look-ups

    def _person(self, found: Json | None) -> Person | None:
        if found is None:
            return None
        account, directory_id = text(found, "userPrincipalName"), text(found, "id")
        if account is None or directory_id is None:
            raise DirectoryUnavailable("The directory doesn't tell who this is.")
        groups, privileged = self._standing(directory_id)
        return Person(
            directory_id=directory_id,
            account=account,
            name=text(found, "displayName") or account,
            emails=addresses(found),
            groups=groups,
            manager=self._manager(directory_id),
            enabled=found.get("accountEnabled") is True,
            privileged=privileged,
        )

    def _manager(self, directory_id: str) -> str | None:
        try:
            found = self._read(f"{user_path(directory_id)}/manager", {"$select": "id,userPrincipalName"})
        except NotThere:
            return None
        return text(found, "userPrincipalName")

    def _one(self, path: str, attribute: str, value: str, select: str) -> Json | None:
        """The one whose attribute has this value in whatever case. Errors: `DirectoryUnavailable` if there are more."""
        if not value or not value.isprintable():
            return None
        wanted = {"$filter": f"{attribute} eq {quoted(value)}", "$select": select}
        found = [
            each
            for each in self._all(path, wanted)
            if (text(each, attribute) or "").casefold() == value.casefold() and text(each, "id")
        ]
        if len(found) > 1:
            raise DirectoryUnavailable(f"The directory has more than one of that name among its {path}.")
        return found[0] if found else None

    def _all(self, path: str, params: Mapping[str, str | int]) -> Iterator[Json]:
        """All entries of all pages."""
        page = self._read(path, params)
        for _ in range(MOST_PAGES):
            entries = page.get("value")
            if not isinstance(entries, list):
                raise DirectoryUnavailable("The directory answered with something that isn't a list.")
            yield from entries
            following = page.get("@odata.nextLink")
            if following is None:
                return
            page = self._read(str(following), {})
        raise DirectoryUnavailable("The directory's answer doesn't come to an end.")

    def _read(self, path: str, params: Mapping[str, str | int]) -> Json:
        """Errors: `NotThere`, `Unreadable`, `DirectoryUnavailable`."""
        try:
            return self._api.get(path, **params)
        except Refused as error:
            raise Unreadable(error.said) from error


class Unreadable(DirectoryUnavailable):
    """Graph refuses to tell."""

    def __init__(self, said: str) -> None:
        super().__init__("The directory doesn't let the service account read this.")
        self.said = said
        """Graph's own words, never to be shown."""


def user_path(directory_id: str) -> str:
    return f"users/{known(directory_id)}"


def group_path(group_id: str) -> str:
    return f"groups/{known(group_id)}"


def known(object_id: str) -> str:
    """The id as it goes into a path. Errors: `NotThere` for what is no id."""
    if not UUID.fullmatch(object_id):
        raise NotThere("The directory doesn't know this account or group any more.")
    return object_id


def scope(graph_url: str) -> str:
    """All that the application may do in this Graph; each national cloud has its own."""
    host = urlsplit(graph_url).hostname or ""
    return f"https://{'graph.microsoft.com' if is_this_machine(host) else host}/.default"


def quoted(value: str) -> str:
    """A string literal of OData."""
    return "'" + value.replace("'", "''") + "'"


def kind(entry: Json) -> str:
    return str(entry.get("@odata.type", "")).removeprefix("#microsoft.graph.")


def is_group(entry: Json) -> bool:
    """Whether the entry is a group; one from a list of groups carries no type."""
    return kind(entry) in ("group", "")


def text(entry: Json, attribute: str) -> str | None:
    value = entry.get(attribute)
    return value if isinstance(value, str) and value else None


def addresses(entry: Json) -> tuple[str, ...]:
    """`mail` first, then `otherMails`, each once."""
    found: dict[str, str] = {}
    for address in (entry.get("mail"), *(entry.get("otherMails") or ())):
        if address:
            found.setdefault(address.casefold(), address)
    return tuple(found.values())


def refusal(error: Refused) -> str:
    """Graph's reason in words of ours; what it wrote isn't shown."""
    if KEPT_ELSEWHERE in error.said:
        return "The directory only copies this account from the company's Active Directory, which keeps its password."
    if "password" in error.said.casefold() and error.status == 400:
        return (
            "The directory finds this password too simple, too short or too well known. It wants at least eight "
            "characters, and three of these: small letters, capitals, digits, others."
        )
    return "The directory doesn't let me change this account's password."
