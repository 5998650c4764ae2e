"""An LDAP directory in OpenLDAP's manner: the only place that knows its client library.

The service account needs read access to people and groups, write access to `userPassword` and `pwdAccountLockedTime` of
ordinary people and to the members of ordinary groups, but not of privileged ones: then the directory refuses, too, what
the desk refuses. The server keeps its password policy by the `ppolicy` overlay; `disable` takes effect with
`pwdLockout: TRUE`. LDAP knows no sessions.
"""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from ldap3 import (  # type: ignore[import-untyped]  # ships no types
    AUTO_BIND_NONE,
    BASE,
    MODIFY_ADD,
    MODIFY_DELETE,
    MODIFY_REPLACE,
    NONE,
    SUBTREE,
    Connection,
    Server,
    Tls,
)
from ldap3.core.exceptions import LDAPException  # type: ignore[import-untyped]  # ships no types
from ldap3.core.results import (  # type: ignore[import-untyped]  # ships no types
    RESULT_ATTRIBUTE_OR_VALUE_EXISTS,
    RESULT_CONSTRAINT_VIOLATION,
    RESULT_INSUFFICIENT_ACCESS_RIGHTS,
    RESULT_INVALID_CREDENTIALS,
    RESULT_NO_SUCH_ATTRIBUTE,
    RESULT_NO_SUCH_OBJECT,
    RESULT_OBJECT_CLASS_VIOLATION,
    RESULT_SUCCESS,
)
from ldap3.utils.conv import escape_filter_chars  # type: ignore[import-untyped]  # ships no types
from ldap3.utils.dn import parse_dn  # type: ignore[import-untyped]  # ships no types

from bot.directory.directory import (
    Ability,
    DirectoryRefused,
    DirectoryUnavailable,
    Group,
    PasswordRefused,
    Person,
)
from bot.directory.local import is_this_machine
from bot.directory.settings import DirectoryMisconfigured, DirectorySettings

CONNECT_SECONDS = 5
ANSWER_SECONDS = 8
LOCKED_FOR_GOOD = "000001010000Z"
"""`pwdAccountLockedTime` of an account that only an administrator unlocks (draft-behera-ldap-password-policy)."""
DEEPEST_NESTING = 20
GROUP_CLASSES = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))"
GROUP_ATTRIBUTES = ["entryUUID", "cn", "description", "owner", "objectClass"]
ATTRIBUTES = ["entryUUID", "uid", "cn", "displayName", "mail", "manager", "pwdAccountLockedTime"]
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

Entry = dict[str, Any]


class LdapDirectory:
    """Satisfies `Directory`. A connection per call: calls are rare, and nothing stale is ever used."""

    abilities = frozenset({Ability.PASSWORD, Ability.SIGN_IN, Ability.UNLOCK, Ability.GROUPS})

    def __init__(self, settings: DirectorySettings) -> None:
        """Errors: `DirectoryMisconfigured`; the server isn't asked yet."""
        url = urlsplit(settings.ldap_url or "")
        if url.scheme not in ("ldap", "ldaps") or not url.hostname:
            raise DirectoryMisconfigured("DESKMATE_LDAP_URL must be ldaps://host or ldap://host.")
        if not settings.ldap_bind_dn or settings.ldap_bind_password is None or not settings.ldap_base_dn:
            raise DirectoryMisconfigured(
                "LDAP needs DESKMATE_LDAP_BIND_DN, DESKMATE_LDAP_BIND_PASSWORD and DESKMATE_LDAP_BASE_DN."
            )
        self._starttls = url.scheme == "ldap" and not is_this_machine(url.hostname)
        self._server = Server(
            url.hostname,
            port=url.port or (636 if url.scheme == "ldaps" else 389),
            use_ssl=url.scheme == "ldaps",
            tls=Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=settings.ldap_ca_file),
            connect_timeout=CONNECT_SECONDS,
            get_info=NONE,
        )
        self._bind_dn = settings.ldap_bind_dn
        self._bind_password = settings.ldap_bind_password
        self._base = settings.ldap_base_dn
        self._privileged = settings.privileged_groups

    def find(self, account: str) -> Person | None:
        with self._connection() as connection:
            return self._person(connection, self._one(connection, f"(uid={escape_filter_chars(account)})"))

    def get(self, directory_id: str) -> Person | None:
        with self._connection() as connection:
            return self._person(connection, self._by_id(connection, directory_id))

    def set_password(self, directory_id: str, new: str) -> None:
        with self._connection() as connection:
            dn = self._dn(connection, directory_id)
            # RFC 3062: the server hashes it and applies its policy; a plain `replace` might store what it is given.
            connection.extend.standard.modify_password(dn, new_password=new)
            result = connection.result
        match result["result"]:
            case code if code == RESULT_SUCCESS:
                return
            case code if code == RESULT_CONSTRAINT_VIOLATION:
                raise PasswordRefused(refusal(str(result.get("message") or "")))
            case code if code == RESULT_INSUFFICIENT_ACCESS_RIGHTS:
                raise PasswordRefused("The directory doesn't let me change this account's password.")
            case _:
                raise DirectoryUnavailable(f"The directory didn't change the password ({result['description']}).")

    def check_password(self, directory_id: str, password: str) -> bool:
        if not password:
            return False  # a bind without a password succeeds as nobody (RFC 4513, 5.1.2)
        with self._connection() as connection:
            dn = self._dn(connection, directory_id)
        try:
            with self._open(dn, password) as tried:
                code = tried.result["result"]
        except LDAPException as error:
            raise DirectoryUnavailable("The directory didn't answer.") from error
        if code not in (RESULT_SUCCESS, RESULT_INVALID_CREDENTIALS):
            raise DirectoryUnavailable("The directory didn't say whether the password is right.")
        return bool(code == RESULT_SUCCESS)

    def password_marker(self, directory_id: str) -> str:
        """`pwdChangedTime` (whole seconds) if the server keeps it, otherwise `entryCSN`, which moves more often."""
        with self._connection() as connection:
            entry = self._entry(connection, directory_id, ["pwdChangedTime", "entryCSN"])
            changed = first(entry, "pwdChangedTime")
            return f"changed {changed}" if changed else f"csn {first(entry, 'entryCSN')}"

    def disable(self, directory_id: str) -> None:
        with self._connection() as connection:
            dn = self._dn(connection, directory_id)
            connection.modify(dn, {"pwdAccountLockedTime": [(MODIFY_REPLACE, [LOCKED_FOR_GOOD])]})
            self._expect(connection, "disable this account")

    def is_locked(self, directory_id: str) -> bool:
        """By `pwdAccountLockedTime`, which stays there after a lock has run out, until the next sign-in."""
        with self._connection() as connection:
            locked = first(self._entry(connection, directory_id), "pwdAccountLockedTime")
            return locked is not None and locked != LOCKED_FOR_GOOD

    def unlock(self, directory_id: str) -> None:
        with self._connection() as connection:
            entry = self._entry(connection, directory_id)
            locked = first(entry, "pwdAccountLockedTime")
            if locked is None or locked == LOCKED_FOR_GOOD:
                return
            connection.modify(entry["dn"], {"pwdAccountLockedTime": [(MODIFY_DELETE, [locked])]})
            self._expect(connection, "unlock this account", RESULT_NO_SUCH_ATTRIBUTE)

    def end_sessions(self, directory_id: str) -> None:
        raise DirectoryRefused("An LDAP directory knows no sign-ins that could be ended.")

    # Groups

    def group(self, name: str) -> Group | None:
        with self._connection() as connection:
            wanted = f"(&{GROUP_CLASSES}(cn={escape_filter_chars(name)}))"
            entry = self._one(connection, wanted, GROUP_ATTRIBUTES) if name else None
            if entry is None:
                return None
            return Group(
                group_id=first(entry, "entryUUID") or "",
                name=first(entry, "cn") or name,
                description=first(entry, "description") or "",
                owners=tuple(self._accounts(connection, texts(entry, "owner"))),
                privileged=self._gives_special_rights(connection, entry),
            )

    def is_member(self, directory_id: str, group_id: str) -> bool:
        with self._connection() as connection:
            person, group = self._entry(connection, directory_id), self._entry(connection, group_id, ["objectClass"])
            attribute, value = membership(group, person)
            found = self._search(
                connection, group["dn"], f"({attribute}={escape_filter_chars(value)})", ["cn"], scope=BASE
            )
            return bool(found)

    def add_member(self, directory_id: str, group_id: str) -> None:
        self._change_member(directory_id, group_id, MODIFY_ADD, RESULT_ATTRIBUTE_OR_VALUE_EXISTS)

    def remove_member(self, directory_id: str, group_id: str) -> None:
        self._change_member(directory_id, group_id, MODIFY_DELETE, RESULT_NO_SUCH_ATTRIBUTE)

    def _change_member(self, directory_id: str, group_id: str, change: str, done_already: int) -> None:
        with self._connection() as connection:
            person, group = self._entry(connection, directory_id), self._entry(connection, group_id, ["objectClass"])
            attribute, value = membership(group, person)
            connection.modify(group["dn"], {attribute: [(change, [value])]})
            self._expect(connection, "change who is in this group", done_already)

    def _gives_special_rights(self, connection: Connection, entry: Entry) -> bool:
        """Whether the group is privileged, or is in one that is."""
        dn, name = str(entry["dn"]), first(entry, "cn") or ""
        try:
            return self._is_privileged({dn: name} | self._groups(connection, [member_of(dn)]))
        except (DirectoryUnavailable, LDAPException):
            return True

    @staticmethod
    def _expect(connection: Connection, what: str, *well: int) -> None:
        """Errors: `DirectoryRefused` and `DirectoryUnavailable`, unless it was done, or the code says it was before."""
        code = connection.result["result"]
        if code in (RESULT_SUCCESS, *well):
            return
        if code == RESULT_INSUFFICIENT_ACCESS_RIGHTS:
            raise DirectoryRefused(f"The directory doesn't let me {what}.")
        if code == RESULT_OBJECT_CLASS_VIOLATION:
            raise DirectoryRefused("The directory keeps no group without members, and this is the last one.")
        raise DirectoryUnavailable(f"The directory didn't {what} ({connection.result['description']}).")

    # Connections

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """A connection as the service account. Errors of the library inside the block are `DirectoryUnavailable`."""
        try:
            with self._open(self._bind_dn, self._bind_password.get_secret_value()) as connection:
                if connection.result["result"] != RESULT_SUCCESS:
                    raise DirectoryUnavailable("The directory doesn't let the service account in.")
                yield connection
        except LDAPException as error:
            raise DirectoryUnavailable(f"The directory didn't answer ({type(error).__name__}).") from error

    @contextmanager
    def _open(self, dn: str, password: str) -> Iterator[Connection]:
        connection = Connection(
            self._server,
            user=dn,
            password=password,
            auto_bind=AUTO_BIND_NONE,
            receive_timeout=ANSWER_SECONDS,
            auto_referrals=False,
            check_names=False,
        )
        try:
            connection.open(read_server_info=False)
            if self._starttls and not connection.start_tls(read_server_info=False):
                raise DirectoryUnavailable("The directory offers no StartTLS, and passwords never go in the clear.")
            connection.bind(read_server_info=False)
            yield connection
        finally:
            connection.unbind()
            if connection.socket is not None:
                connection.socket.close()  # the library leaves it open when nobody answered

    # Look-ups

    def _dn(self, connection: Connection, directory_id: str) -> str:
        return str(self._entry(connection, directory_id)["dn"])

    def _entry(self, connection: Connection, directory_id: str, attributes: list[str] | None = None) -> Entry:
        entry = self._by_id(connection, directory_id, attributes)
        if entry is None:
            raise DirectoryUnavailable("The directory doesn't know this account or group any more.")
        return entry

    def _by_id(self, connection: Connection, directory_id: str, attributes: list[str] | None = None) -> Entry | None:
        if not UUID.fullmatch(directory_id):
            return None
        return self._one(connection, f"(entryUUID={directory_id})", attributes)

    def _one(self, connection: Connection, wanted: str, attributes: list[str] | None = None) -> Entry | None:
        found = self._search(connection, self._base, wanted, attributes or ATTRIBUTES, limit=2)
        if len(found) > 1:
            raise DirectoryUnavailable("The directory has more than one account of that name.")
        return found[0] if found else None

    @staticmethod
    def _search(
        connection: Connection, base: str, wanted: str, attributes: list[str], *, limit: int = 0, scope: str = SUBTREE
    ) -> list[Entry]:
        connection.search(
            base, wanted, search_scope=scope, attributes=attributes, size_limit=limit, time_limit=ANSWER_SECONDS
        )
        if connection.result["result"] == RESULT_NO_SUCH_OBJECT:
            return []
        entries = [entry for entry in connection.response or () if entry.get("type") == "searchResEntry"]
        if connection.result["result"] != RESULT_SUCCESS and len(entries) < max(limit, 1):
            raise DirectoryUnavailable(f"The directory didn't answer a search ({connection.result['description']}).")
        return entries

    def _person(self, connection: Connection, entry: Entry | None) -> Person | None:
        if entry is None:
            return None
        account, directory_id, dn = first(entry, "uid"), first(entry, "entryUUID"), str(entry["dn"])
        if account is None or directory_id is None:
            return None
        try:
            groups = self._groups(connection, [member_of(dn) + f"(memberUid={escape_filter_chars(account)})"])
            privileged = self._is_privileged(groups) or same_dn(dn, self._bind_dn)
        except (DirectoryUnavailable, LDAPException):
            groups, privileged = {}, True
        return Person(
            directory_id=directory_id,
            account=account,
            name=first(entry, "displayName") or first(entry, "cn") or account,
            emails=tuple(texts(entry, "mail")),
            groups=frozenset(groups.values()),
            manager=self._manager(connection, entry),
            enabled=first(entry, "pwdAccountLockedTime") != LOCKED_FOR_GOOD,
            privileged=privileged,
        )

    def _groups(self, connection: Connection, wanted: list[str]) -> dict[str, str]:
        """DN to name of all groups with these members, also those reached through groups."""
        found: dict[str, str] = {}
        for _ in range(DEEPEST_NESTING):
            fresh: dict[str, str] = {}
            for conditions in wanted:
                for entry in self._search(connection, self._base, f"(|{conditions})", ["cn"]):
                    if entry["dn"] not in found:
                        fresh[entry["dn"]] = first(entry, "cn") or str(entry["dn"])
            if not fresh:
                return found
            found |= fresh
            wanted = [member_of(group) for group in fresh]
        raise DirectoryUnavailable("The directory's groups are nested too deep.")

    def _is_privileged(self, groups: dict[str, str]) -> bool:
        return any(
            name.casefold() in self._privileged or dn.casefold() in self._privileged for dn, name in groups.items()
        )

    def _manager(self, connection: Connection, entry: Entry) -> str | None:
        return next(iter(self._accounts(connection, texts(entry, "manager")[:1])), None)

    def _accounts(self, connection: Connection, dns: list[str]) -> Iterator[str]:
        for dn in dns:
            for found in self._search(connection, dn, "(objectClass=*)", ["uid"], limit=1, scope=BASE):
                if account := first(found, "uid"):
                    yield account


def member_of(dn: str) -> str:
    escaped = escape_filter_chars(dn)
    return f"(member={escaped})(uniqueMember={escaped})"


def membership(group: Entry, person: Entry) -> tuple[str, str]:
    """The attribute in which this kind of group keeps its members, and what stands there for the person."""
    kinds = {kind.casefold() for kind in texts(group, "objectClass")}
    if "posixgroup" in kinds and not kinds & {"groupofnames", "groupofuniquenames"}:
        return "memberUid", first(person, "uid") or ""
    return "uniqueMember" if "groupofuniquenames" in kinds else "member", str(person["dn"])


def same_dn(one: str, other: str) -> bool:
    return bool(
        [(kind.casefold(), value.casefold()) for kind, value, _ in parse_dn(one)]
        == [(kind.casefold(), value.casefold()) for kind, value, _ in parse_dn(other)]
    )


def texts(entry: Entry, attribute: str) -> list[str]:
    wanted = attribute.casefold()
    return [
        value.decode("utf-8", "replace")
        for name, values in entry["raw_attributes"].items()
        if name.casefold() == wanted
        for value in values
    ]


def first(entry: Entry, attribute: str) -> str | None:
    return next(iter(texts(entry, attribute)), None)


def refusal(message: str) -> str:
    """The server's reason in words of ours; what it wrote isn't shown, since nobody knows what it may hold."""
    said = message.casefold()
    if "history" in said:
        return "The directory remembers this password from before. Choose one that you haven't used."
    if "too young" in said:
        return "The directory doesn't allow another change of the password so soon."
    if "short" in said:
        return "The directory finds this password too short."
    if "quality" in said:
        return "The directory finds this password too simple or too short."
    return "The directory's policy doesn't allow this password."
