"""A stand-in for Microsoft Graph v1.0 and the token endpoint of Entra ID, after their public documentation.

It knows one tenant with users, groups, directory roles and one application, which holds no more than a helpdesk's role:
it can't change who has special rights.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, unquote, urlencode, urlsplit

Json = dict[str, Any]
TENANT = "5f0e0c1e-6f2b-4e0e-9c11-8a50b0b0f001"
CLIENT, SECRET = "0c9b1d2e-51f2-4a9b-bb0b-d1d8e3f00002", "a+secret&of=tests"
USER_DEFAULTS = """
    id businessPhones displayName givenName jobTitle mail mobilePhone officeLocation preferredLanguage surname
    userPrincipalName
"""
USER_MORE = """
    accountEnabled otherMails lastPasswordChangeDateTime onPremisesSyncEnabled passwordPolicies userType
"""
"""Only told when they are selected."""
GROUP_DEFAULTS = """
    id description displayName groupTypes isAssignableToRole mail mailEnabled mailNickname onPremisesSyncEnabled
    securityEnabled visibility
"""
OPTIONS = {"$select", "$filter", "$top", "$skiptoken"}
CLAUSE = re.compile(r"(\w+) eq '((?:[^']|'')*)'")
FILTERABLE = {"userPrincipalName", "displayName", "mail", "id", "principalId"}


class Answer(Exception):
    """What goes back instead of what was asked for."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


def not_there(what: str) -> Answer:
    return Answer(
        404,
        "Request_ResourceNotFound",
        f"Resource '{what}' does not exist or one of its queried reference-property objects are not present.",
    )


def denied() -> Answer:
    return Answer(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def bad(message: str) -> Answer:
    return Answer(400, "Request_BadRequest", message)


def on_premises() -> Answer:
    return bad(
        "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects "
        "currently undergoing migration."
    )


@dataclass
class Entry:
    """A directory object; `properties` as they stand in JSON."""

    kind: str
    properties: Json
    password: str = ""
    sessions: int = 1
    locked: bool = False
    manager: str | None = None
    owners: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    """The members as reads tell them, which come from a copy."""

    @property
    def id(self) -> str:
        return str(self.properties["id"])


class EntraServer:
    """Serves on loopback until it is closed."""

    def __init__(self) -> None:
        self.page = 2
        """Entries on one page at most, whatever `$top` asks for."""
        self.lag = 0
        """How many reads of memberships still tell how it was before a change."""
        self.busy = 0
        """So many requests are answered with 429."""
        self.premium = True
        self.refused = ""
        """A regular expression; the application may not ask for what lies at such paths."""
        self.unreadable: set[str] = set()
        """Ids of groups of which the application sees that they are there, and nothing else."""
        self.seconds = 3599
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self.entries: dict[str, Entry] = {}
        self.eligible: list[tuple[str, str]] = []
        self.assigned: list[tuple[str, str]] = []
        self._behind = 0
        self._lock = Lock()
        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.origin = f"http://127.0.0.1:{self._httpd.server_address[1]}"
        self.graph_url = f"{self.origin}/v1.0"
        self.linked = self.graph_url
        """Where the addresses of next pages lead."""
        Thread(target=self._httpd.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()

    # What an administrator does

    def add_user(self, upn: str, name: str, password: str, **more: Any) -> str:
        properties = dict.fromkeys((USER_DEFAULTS + USER_MORE).split())
        properties |= {"id": str(uuid.uuid4()), "userPrincipalName": upn, "displayName": name, "businessPhones": []}
        properties |= {"accountEnabled": True, "otherMails": [], "userType": "Member"}
        return self._add(Entry("user", properties | {"lastPasswordChangeDateTime": moment()} | more, password))

    def add_group(self, name: str, members: list[str], owners: list[str] | None = None, **more: Any) -> str:
        properties = dict.fromkeys(GROUP_DEFAULTS.split())
        properties |= {"id": str(uuid.uuid4()), "displayName": name, "groupTypes": [], "mailEnabled": False}
        properties |= {"mailNickname": "x", "securityEnabled": True}
        entry = Entry("group", properties | more, members=list(members), shown=list(members), owners=owners or [])
        return self._add(entry)

    def add_other(self, kind: str, name: str, members: list[str]) -> str:
        """A directory role that is active, an administrative unit, an organizational contact."""
        properties = {"id": str(uuid.uuid4()), "displayName": name, "description": None}
        return self._add(Entry(kind, properties, members=list(members), shown=list(members)))

    def delete(self, object_id: str) -> None:
        del self.entries[object_id]
        for entry in self.entries.values():
            for held in (entry.members, entry.shown, entry.owners):
                held[:] = [each for each in held if each != object_id]

    def user(self, key: str) -> Entry:
        for entry in self.entries.values():
            upn = str(entry.properties.get("userPrincipalName"))
            if entry.kind == "user" and key.casefold() in (entry.id, upn.casefold()):
                return entry
        raise not_there(key)

    def signs_in(self, upn: str, password: str) -> bool:
        entry = self.user(upn)
        return entry.password == password and entry.properties["accountEnabled"] and not entry.locked

    def _add(self, entry: Entry) -> str:
        self.entries[entry.id] = entry
        return entry.id

    # The wire

    def token(self, path: str, form: dict[str, list[str]]) -> tuple[int, Json]:
        def given(name: str) -> str:
            return form.get(name, [""])[0]

        def no(status: int, error: str, number: int, why: str) -> tuple[int, Json]:
            traced = {"timestamp": moment(), "trace_id": str(uuid.uuid4()), "correlation_id": str(uuid.uuid4())}
            return status, {
                "error": error,
                "error_description": f"AADSTS{number}: {why}",
                "error_codes": [number],
                **traced,
            }

        if path != f"/{TENANT}/oauth2/v2.0/token":
            return no(400, "invalid_request", 90002, "Tenant not found.")
        if given("grant_type") != "client_credentials":
            return no(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        if given("client_id") != CLIENT:
            return no(400, "unauthorized_client", 700016, "Application was not found in the directory.")
        if given("client_secret") != SECRET:
            return no(401, "invalid_client", 7000215, "Invalid client secret provided.")
        if given("scope") != "https://graph.microsoft.com/.default":
            return no(400, "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid.")
        self.tokens.append(uuid.uuid4().hex)
        seconds = {"expires_in": self.seconds, "ext_expires_in": self.seconds}
        return 200, {"token_type": "Bearer", **seconds, "access_token": self.tokens[-1]}

    def answer(self, method: str, url: str, headers: Any, body: bytes) -> tuple[int, Json | None, dict[str, str]]:
        parts = urlsplit(url)
        if parts.path.endswith("/oauth2/v2.0/token"):
            status, told = self.token(parts.path, parse_qs(body.decode()) if method == "POST" else {})
            return status, told, {}
        with self._lock:
            self.asked.append(f"{method} {parts.path}")
            try:
                status, found = self._graph(method, parts.path, parts.query, headers, body)
            except Answer as no:
                traced = {"date": moment(), "request-id": str(uuid.uuid4()), "client-request-id": str(uuid.uuid4())}
                error = {"code": no.code, "message": no.message, "innerError": traced}
                return no.status, {"error": error}, no.headers
        return status, found, {}

    def _graph(self, method: str, path: str, query: str, headers: Any, body: bytes) -> tuple[int, Json | None]:
        if self.busy:
            self.busy -= 1
            raise Answer(429, "TooManyRequests", "Too many requests.", {"Retry-After": "0"})
        if headers.get("Authorization") not in [f"Bearer {token}" for token in self.tokens]:
            raise Answer(401, "InvalidAuthenticationToken", "Access token is empty, expired or not valid.")
        if self.refused and re.search(self.refused, path):
            raise denied()
        options = dict(parse_qsl(query, keep_blank_values=True))
        if unknown := options.keys() - OPTIONS:
            raise Answer(400, "BadRequest", f"The query parameter '{min(unknown)}' is not supported.")
        sent = json.loads(body) if body and headers.get("Content-Type", "").startswith("application/json") else {}
        for way, pattern, served in self._ways():
            found = re.fullmatch(pattern, path)
            if way == method and found:
                return served(sent, options, *(unquote(each) for each in found.groups()))
        raise bad(f"Resource not found for the segment '{path.rsplit('/', 1)[-1]}'.")

    def _ways(self) -> Iterator[tuple[str, str, Callable[..., tuple[int, Json | None]]]]:
        one, roles = r"([^/]+)", "/v1.0/roleManagement/directory"
        yield "GET", "/v1.0/users", lambda _, options: self._entries("user", options)
        yield "GET", "/v1.0/groups", lambda _, options: self._entries("group", options)
        yield "GET", f"/v1.0/users/{one}", lambda _, options, key: (200, chosen(self.user(key), options))
        yield "PATCH", f"/v1.0/users/{one}", self._change_user
        yield "GET", f"/v1.0/users/{one}/manager", self._manager
        yield "POST", f"/v1.0/users/{one}/revokeSignInSessions", self._revoke
        yield "GET", f"/v1.0/users/{one}/memberOf", lambda _, o, key: self._member_of(self.user(key), o, deep=False)
        yield "GET", f"/v1.0/users/{one}/transitiveMemberOf", lambda _, o, key: self._member_of(self.user(key), o)
        yield "GET", f"/v1.0/groups/{one}", lambda _, options, key: (200, chosen(self._group(key), options))
        yield "GET", f"/v1.0/groups/{one}/transitiveMemberOf", lambda _, o, key: self._member_of(self._group(key), o)
        yield "GET", f"/v1.0/groups/{one}/owners", self._owners
        yield "POST", rf"/v1.0/groups/{one}/members/\$ref", self._add_member
        yield "DELETE", rf"/v1.0/groups/{one}/members/{one}/\$ref", self._remove_member
        yield "GET", f"{roles}/roleAssignments", lambda _, options: self._roles(self.assigned, options)
        yield "GET", f"{roles}/roleEligibilityScheduleInstances", self._eligible

    # Reading

    def _listed(self, path: str, found: list[Json], options: dict[str, str]) -> tuple[int, Json]:
        top = options.get("$top", "100")
        if not top.isdecimal() or not 1 <= int(top) <= 999:
            raise bad("Invalid page size specified: it must be between 1 and 999 inclusive.")
        start = int(options.get("$skiptoken", "0"))
        end = start + min(int(top), self.page)
        answer: Json = {"@odata.context": f"{self.graph_url}/$metadata#{path}", "value": found[start:end]}
        if end < len(found):
            following = urlencode({**options, "$skiptoken": str(end)}, quote_via=quote)
            answer["@odata.nextLink"] = f"{self.linked}/{path}?{following}"
        return 200, answer

    def _entries(self, kind: str, options: dict[str, str]) -> tuple[int, Json]:
        found = [entry for entry in self.entries.values() if entry.kind == kind]
        fits = condition(options)
        found = [entry for entry in found if fits(entry.properties)]
        return self._listed(f"{kind}s", [chosen(entry, options) for entry in found], options)

    def _group(self, key: str) -> Entry:
        entry = self.entries.get(key)
        if entry is None or entry.kind != "group":
            raise not_there(key)
        return entry

    def _manager(self, _: Json, options: dict[str, str], key: str) -> tuple[int, Json]:
        manager = self.entries.get(self.user(key).manager or "")
        if manager is None:
            raise not_there("manager")
        return 200, typed(manager, options)

    def _owners(self, _: Json, options: dict[str, str], key: str) -> tuple[int, Json]:
        owners = [typed(self.entries[owner], options) for owner in self._group(key).owners]
        return self._listed(f"groups/{key}/owners", owners, options)

    def _member_of(self, entry: Entry, options: dict[str, str], deep: bool = True) -> tuple[int, Json]:
        if "$filter" in options:
            raise Answer(400, "Request_UnsupportedQuery", "Unsupported Query.")
        if "$skiptoken" not in options:
            self._catch_up()
        found = self._containers(entry.id, deep)
        shown = [hidden(each) if each.id in self.unreadable else typed(each, options) for each in found]
        way = "transitiveMemberOf" if deep else "memberOf"
        return self._listed(f"{entry.kind}s/{entry.id}/{way}", shown, options)

    def _containers(self, object_id: str, deep: bool = True) -> list[Entry]:
        found: list[Entry] = []
        wanted = [object_id]
        while wanted:
            each = wanted.pop(0)
            fresh = [entry for entry in self.entries.values() if each in entry.shown and entry not in found]
            found += fresh
            wanted += [entry.id for entry in fresh] if deep else []
        return found

    def _catch_up(self) -> None:
        if self._behind:
            self._behind -= 1
            return
        for entry in self.entries.values():
            entry.shown = list(entry.members)

    def _eligible(self, _: Json, options: dict[str, str]) -> tuple[int, Json]:
        if not self.premium:
            why = "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."
            raise Answer(400, "AadPremiumLicenseRequired", why)
        return self._roles(self.eligible, options, "roleEligibilityScheduleInstances")

    def _roles(
        self, held: list[tuple[str, str]], options: dict[str, str], name: str = "roleAssignments"
    ) -> tuple[int, Json]:
        fits = condition(options)
        every: list[Json] = [
            {"id": f"{principal}-{place}", "principalId": principal, "directoryScopeId": place}
            | {"roleDefinitionId": "729827e3-9c14-49f7-bb1b-9608f156bbb8"}
            for principal, place in held
        ]
        return self._listed(f"roleManagement/directory/{name}", [each for each in every if fits(each)], options)

    # Changing

    def _has_special_rights(self, entry: Entry) -> bool:
        held = self._containers(entry.id)
        return any(each.kind == "directoryRole" or each.properties.get("isAssignableToRole") for each in held)

    def _change_user(self, sent: Json, _: dict[str, str], key: str) -> tuple[int, None]:
        entry = self.user(key)
        if not sent or sent.keys() - {"accountEnabled", "passwordProfile"}:
            raise bad("Empty payload, or a property that can't be updated.")
        if entry.properties["onPremisesSyncEnabled"]:
            raise on_premises()
        if self._has_special_rights(entry):
            raise denied()
        if "passwordProfile" in sent:
            password = str(sent["passwordProfile"]["password"])
            weak_is_fine = "DisableStrongPassword" in (entry.properties["passwordPolicies"] or "")
            if not 8 <= len(password) <= 256 or not (weak_is_fine or is_strong(password)):
                raise bad(
                    "The specified password does not comply with password complexity requirements. "
                    "Please provide a different password."
                )
            entry.password = password
            entry.properties["lastPasswordChangeDateTime"] = moment()
        if "accountEnabled" in sent:
            entry.properties["accountEnabled"] = bool(sent["accountEnabled"])
        return 204, None

    def _revoke(self, _: Json, __: dict[str, str], key: str) -> tuple[int, Json]:
        self.user(key).sessions = 0
        return 200, {"@odata.context": f"{self.graph_url}/$metadata#Edm.Boolean", "value": True}

    def _changeable(self, key: str) -> Entry:
        entry = self._group(key)
        if entry.properties["isAssignableToRole"]:
            raise denied()
        if entry.properties["onPremisesSyncEnabled"]:
            raise on_premises()
        if "DynamicMembership" in entry.properties["groupTypes"]:
            raise bad("Insufficient privileges: the membership of this group is dynamic.")
        if entry.properties["mailEnabled"] and "Unified" not in entry.properties["groupTypes"]:
            raise bad("Cannot Update a mail-enabled security groups and or distribution list.")
        return entry

    def _add_member(self, sent: Json, _: dict[str, str], key: str) -> tuple[int, None]:
        entry = self._changeable(key)
        reference = re.fullmatch(
            re.escape(self.graph_url) + r"/(?:directoryObjects|users)/([^/]+)", str(sent.get("@odata.id"))
        )
        if reference is None:
            raise bad("Invalid URL format specified in @odata.id.")
        member = reference[1]
        if member not in self.entries:
            raise not_there(member)
        if member in entry.members:
            raise bad(
                "One or more added object references already exist for the following modified properties: 'members'."
            )
        entry.members.append(member)
        self._behind = self.lag
        return 204, None

    def _remove_member(self, _: Json, __: dict[str, str], key: str, member: str) -> tuple[int, None]:
        entry = self._changeable(key)
        if member not in entry.members:
            raise not_there(member)
        entry.members.remove(member)
        self._behind = self.lag
        return 204, None


def handler(server: EntraServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, found, headers = server.answer(self.command, self.path, self.headers, body)
            sent = b"" if found is None else json.dumps(found).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def moment() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def chosen(entry: Entry, options: dict[str, str]) -> Json:
    """Of one whose type the address says: a property that the type doesn't have is an error."""
    wanted = options.get("$select")
    names = wanted.split(",") if wanted else (USER_DEFAULTS if entry.kind == "user" else GROUP_DEFAULTS).split()
    for name in names:
        if name not in entry.properties:
            what = f"Could not find a property named '{name}' on type 'microsoft.graph.{entry.kind}'."
            raise Answer(400, "BadRequest", f"Parsing OData Select and Expand failed: {what}")
    return {name: entry.properties[name] for name in names}


def typed(entry: Entry, options: dict[str, str]) -> Json:
    """Of one among many kinds: each has what it has."""
    wanted = options.get("$select")
    names = wanted.split(",") if wanted else USER_DEFAULTS.split() if entry.kind == "user" else list(entry.properties)
    return {"@odata.type": f"#microsoft.graph.{entry.kind}"} | {
        name: entry.properties[name] for name in names if name in entry.properties
    }


def hidden(entry: Entry) -> Json:
    nothing: Json = dict.fromkeys(entry.properties)
    return {"@odata.type": f"#microsoft.graph.{entry.kind}"} | nothing | {"id": entry.id}


def condition(options: dict[str, str]) -> Callable[[Json], bool]:
    if "$filter" not in options:
        return lambda _: True
    clause = CLAUSE.fullmatch(options["$filter"])
    if clause is None or not clause[2].isprintable():
        raise Answer(400, "BadRequest", "Invalid filter clause: there is an unterminated string literal or worse.")
    name, value = clause[1], clause[2].replace("''", "'").casefold()
    if name not in FILTERABLE:
        raise Answer(400, "Request_UnsupportedQuery", f"Unsupported or invalid query filter clause for '{name}'.")
    return lambda properties: str(properties.get(name)).casefold() == value


def is_strong(password: str) -> bool:
    """Three of the four kinds of characters."""
    kinds = (str.islower, str.isupper, str.isdecimal, lambda character: not character.isalnum())
    return sum(any(is_kind(character) for character in password) for is_kind in kinds) >= 3
