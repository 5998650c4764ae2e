"""Any directory that speaks SCIM 2.0 (RFC 7643, RFC 7644).

SCIM is for provisioning: this directory says who people are, changes who is in a group and disables accounts. What it
can't do, and why:

- **No passwords.** `password` is written and never returned (RFC 7643, 4.1.1 and 7), and nothing tells when it was last
  changed. `meta.version` and `meta.lastModified` belong to the whole account (3.1): a new telephone number moves them,
  and nobody promises that a value which is never shown does. So there is no `password_marker`, and after a lost answer
  nobody could say whether the password is the new one; the desk sets none where it can't find that out.
- **No trying of passwords**: a filter on `password` is something that a server "MAY" allow.
- **No locks**: `active` is all there is, and its meaning is the server's (4.1.1).
- **No sign-ins** that could be ended.
- **No owners and no description** of groups in the core schema (4.2).

The server has to filter users by `userName`, groups by `displayName`; groups are filtered by `members.value`, too, or,
where the server doesn't, all of them are listed.
"""

from collections.abc import Iterable, Mapping

from bot.directory.directory import Ability, DirectoryRefused, DirectoryUnavailable, Group, Person
from bot.directory.http import Api, Json
from bot.directory.scim_resources import Kind, NotRead, Resources, inner, literal, many, text
from bot.directory.settings import DirectoryMisconfigured, DirectorySettings

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MEDIA_TYPE = "application/scim+json"
DEEPEST_NESTING = 20
NO_PASSWORDS = (
    "I can't set passwords in this directory: by SCIM it never tells whether a password was changed, "
    "so I couldn't say how it ended."
)


class ScimDirectory:
    """Satisfies `Directory`."""

    abilities = frozenset({Ability.GROUPS})

    def __init__(self, settings: DirectorySettings) -> None:
        """Errors: `DirectoryMisconfigured`; the server isn't asked yet."""
        self._token = settings.scim_token
        api = Api(
            settings.scim_url,
            setting="DESKMATE_SCIM_URL",
            authorization=self._headers,
            ca_file=settings.scim_ca_file,
        )
        token = self._token.get_secret_value() if self._token else ""
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise DirectoryMisconfigured("SCIM needs DESKMATE_SCIM_TOKEN, a bearer token.")
        self._resources = Resources(api)
        self._privileged = settings.privileged_groups

    def _headers(self, anew: bool) -> Mapping[str, str]:
        """The token is the administrator's to renew: there is no other `anew`."""
        token = self._token.get_secret_value() if self._token else ""
        return {"Authorization": f"Bearer {token}", "Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}

    def find(self, account: str) -> Person | None:
        found = self._one("User", "userName", account)
        return self._person(found) if found else None

    def get(self, directory_id: str) -> Person | None:
        found = self._resources.get("User", directory_id)
        return self._person(found) if found else None

    def set_password(self, directory_id: str, new: str) -> None:
        raise DirectoryRefused(NO_PASSWORDS)

    def check_password(self, directory_id: str, password: str) -> bool:
        raise DirectoryRefused("This directory doesn't let me try a password.")

    def password_marker(self, directory_id: str) -> str:
        raise DirectoryRefused(NO_PASSWORDS)

    def disable(self, directory_id: str) -> None:
        operation = {"op": "replace", "path": "active", "value": False}
        self._resources.change("User", directory_id, operation, done=lambda user: not is_active(user))
        if is_active(self._resources.held("User", directory_id)):
            raise DirectoryUnavailable("The directory took the change, but still says that the account is active.")

    def is_locked(self, directory_id: str) -> bool:
        """False: SCIM doesn't know of locks."""
        return False

    def unlock(self, directory_id: str) -> None:
        raise DirectoryRefused("This directory doesn't tell who is locked out, and lets me unlock nobody.")

    def end_sessions(self, directory_id: str) -> None:
        raise DirectoryRefused("This directory knows no sign-ins that could be ended.")

    # Groups

    def group(self, name: str) -> Group | None:
        found = self._one("Group", "displayName", name)
        if found is None:
            return None
        return Group(
            group_id=text(found, "id"),
            name=text(found, "displayName"),
            description="",
            owners=(),
            privileged=self._gives_special_rights(found),
        )

    def is_member(self, directory_id: str, group_id: str) -> bool:
        return holds(self._resources.held("Group", group_id), "User", directory_id)

    def add_member(self, directory_id: str, group_id: str) -> None:
        self._resources.held("User", directory_id)  # servers take the id of nobody, too
        operation = {"op": "add", "path": "members", "value": [{"value": directory_id}]}
        self._resources.change("Group", group_id, operation, done=lambda group: holds(group, "User", directory_id))

    def remove_member(self, directory_id: str, group_id: str) -> None:
        operation = {"op": "remove", "path": f"members[value eq {literal(directory_id)}]"}
        self._resources.change("Group", group_id, operation, done=lambda group: not holds(group, "User", directory_id))

    # Look-ups

    def _one(self, kind: Kind, attribute: str, name: str) -> Json | None:
        """The one whose name is this, in whatever case (`caseExact` is false for both). What the server finds by a
        comparison of its own, or because it doesn't filter, isn't it."""
        if not name:
            return None
        answered = self._resources.where(kind, attribute, name, without="members" if kind == "Group" else None)
        found = [one for one in answered if text(one, attribute).casefold() == name.casefold()]
        if len(found) > 1:
            raise DirectoryUnavailable("The directory has more than one account or group of that name.")
        if found and not text(found[0], "id"):
            raise DirectoryUnavailable("The directory has an account or group without an id.")
        return found[0] if found else None

    def _person(self, user: Json) -> Person:
        directory_id, account = text(user, "id"), text(user, "userName")
        if not account:
            raise DirectoryUnavailable("The directory has an account without a name.")
        try:
            groups = self._above("User", directory_id, known=many(user, "groups"))
            privileged = self._is_privileged(groups)
        except DirectoryUnavailable:
            groups, privileged = {}, True
        return Person(
            directory_id=directory_id,
            account=account,
            name=text(user, "displayName") or text(inner(user, "name"), "formatted") or account,
            emails=emails(user),
            groups=frozenset(groups.values()),
            manager=self._manager(user),
            enabled=is_active(user),
            privileged=privileged,
        )

    def _gives_special_rights(self, group: Json) -> bool:
        """Whether the group is privileged, or is in one that is."""
        group_id = text(group, "id")
        try:
            return self._is_privileged({group_id: text(group, "displayName")} | self._above("Group", group_id))
        except DirectoryUnavailable:
            return True

    def _above(self, kind: Kind, resource_id: str, known: Iterable[Json] = ()) -> dict[str, str]:
        """Id to name of all groups with this member, also those reached through groups.

        `known` is what the account itself says of its groups, where the server computes that, also from rules.
        """
        containers = Containers(self._resources)
        found = containers.of(kind, resource_id)
        for group in known:
            if (group_id := text(group, "value")) and group_id not in found:
                whole = self._resources.get("Group", group_id) or {}
                found[group_id] = text(whole, "displayName") or text(group, "display") or group_id
        fresh = set(found)
        for _ in range(DEEPEST_NESTING):
            if not fresh:
                return found
            outer: dict[str, str] = {}
            for group_id in fresh:
                outer |= containers.of("Group", group_id)
            fresh = outer.keys() - found.keys()
            found |= outer
        raise DirectoryUnavailable("The directory's groups are nested too deep.")

    def _is_privileged(self, groups: dict[str, str]) -> bool:
        return any(name.casefold() in self._privileged for name in groups.values())

    def _manager(self, user: Json) -> str | None:
        manager_id = text(inner(inner(user, ENTERPRISE), "manager"), "value")
        manager = self._resources.get("User", manager_id) if manager_id else None
        return text(manager or {}, "userName") or None


class Containers:
    """Which groups something is in, for the length of one look: asked by filter, or by a list of all that is read once
    if the server refuses the filter."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._listed: list[Json] | None = None

    def of(self, kind: Kind, resource_id: str) -> dict[str, str]:
        """Id to name of the groups that have it as a member themselves."""
        return {
            text(group, "id"): text(group, "displayName") or text(group, "id")
            for group in self._groups(resource_id)
            if holds(group, kind, resource_id)
        }

    def _groups(self, member: str) -> list[Json]:
        if self._listed is None:
            try:
                return [self._shown(group, member) for group in self._resources.where("Group", "members.value", member)]
            except NotRead:
                listed = self._resources.every("Group")
                if not any("members" in group for group in listed):
                    listed = [self._resources.held("Group", text(group, "id")) for group in listed]
                self._listed = listed
        return self._listed

    def _shown(self, group: Json, member: str) -> Json:
        """With its members, which a list may leave out.

        Errors: `DirectoryUnavailable` if the member isn't among them. Either the server answers without filtering, or
        it shows some members only; whoever believes the wrong one gives away a group, or overlooks an administrator.
        """
        if "members" not in group:
            group = self._resources.held("Group", text(group, "id"))
        if not any(text(shown, "value") == member for shown in many(group, "members")):
            raise DirectoryUnavailable("The directory's groups contradict what it has found.")
        return group


def holds(group: Json, kind: Kind, resource_id: str) -> bool:
    """Whether the group itself has this member; servers needn't say of what type a member is."""
    return any(
        text(member, "value") == resource_id and (text(member, "type") or kind).casefold() == kind.casefold()
        for member in many(group, "members")
    )


def is_active(user: Json) -> bool:
    """What doesn't say that it isn't, is."""
    return user.get("active") is not False


def emails(user: Json) -> tuple[str, ...]:
    """The primary one first, each once."""
    listed = sorted(many(user, "emails"), key=lambda email: email.get("primary") is not True)
    return tuple(dict.fromkeys(address for email in listed if (address := text(email, "value"))))
