"""A stand-in for an Okta organisation that keeps to the wire format of https://developer.okta.com/docs/api/: users,
groups, roles, errors, pages, limits. It knows nothing of our code."""

import json
import re
import secrets
import string
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

Json = dict[str, Any]
Answer = tuple[int, Any]
TOKEN = "00QCjAl4MlV-WPXM...0HmjFx-vbGua"
SHORTEST, REMEMBERED = 8, 4
EQUALS = re.compile(r'profile\.(login|name) eq "((?:[^"\\]|\\.)*)"')
NOTHING = ""
"""The body of an answer that has none."""


class Failure(Exception):
    def __init__(self, status: int, code: str, summary: str, *causes: str) -> None:
        self.status = status
        self.body = {
            "errorCode": code,
            "errorSummary": summary,
            "errorLink": code,
            "errorId": "oae" + secrets.token_urlsafe(16),
            "errorCauses": [{"errorSummary": cause} for cause in causes],
        }


def not_found(what: str, kind: str) -> Failure:
    return Failure(404, "E0000007", f"Not found: Resource not found: {what} ({kind})")


def invalid(summary: str, *causes: str) -> Failure:
    return Failure(400, "E0000001", f"Api validation failed: {summary}", *causes)


def new_id(kind: str) -> str:
    return kind + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(17))


def moment() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class OktaServer:
    def __init__(self, *, page: int = 1000) -> None:
        """`page`: no page is longer, whatever `limit` asks for."""
        self.users: dict[str, Json] = {}
        self.passwords: dict[str, list[str]] = {}
        self.groups: dict[str, Json] = {}
        self.members: set[tuple[str, str]] = set()
        self.owners: dict[str, list[Json]] = {}
        self.roles: dict[str, list[Json]] = {}
        """Of users and of groups."""
        self.sessions: dict[str, int] = {}
        self.asked: list[str] = []
        """Method and address of each request."""
        self.instead: list[tuple[str, int, dict[str, str], Json]] = []
        """Answers that are given once instead, to the next request whose method and address hold the text."""
        self.lag = 0
        """In so many reads that could show it, a changed membership doesn't show yet; all pages of a list are one."""
        self._changed: dict[tuple[str, str], tuple[bool, int]] = {}
        """What was before, and how often it has been read since."""
        self._page = page
        self.everyone = self.add_group("Everyone", kind="BUILT_IN")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            wbufsize = -1  # one write per answer

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer._handle(self, body)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    # What an administrator does

    def add_user(self, login: str, password: str, **profile: str) -> str:
        user_id = new_id("00u")
        self.users[user_id] = {
            "id": user_id,
            "status": "ACTIVE",
            "created": moment(),
            "activated": moment(),
            "statusChanged": moment(),
            "lastLogin": None,
            "lastUpdated": moment(),
            "passwordChanged": moment(),
            "type": {"id": new_id("oty")},
            "profile": {"mobilePhone": None, "secondEmail": None, "login": login, **profile},
            "credentials": {"password": {}, "provider": {"type": "OKTA", "name": "OKTA"}},
            "_links": {"self": {"href": f"{self.url}/api/v1/users/{user_id}"}},
        }
        self.passwords[user_id] = [password]
        self.sessions[user_id] = 1
        self.members.add((self.everyone, user_id))
        return user_id

    def delete_user(self, user_id: str) -> None:
        del self.users[user_id]
        self.members = {(group, user) for group, user in self.members if user != user_id}

    def add_group(self, name: str, *members: str, kind: str = "OKTA_GROUP", description: str | None = None) -> str:
        group_id = new_id("00g")
        self.groups[group_id] = {
            "id": group_id,
            "created": moment(),
            "lastUpdated": moment(),
            "lastMembershipUpdated": moment(),
            "objectClass": ["okta:windows_security_principal" if kind == "APP_GROUP" else "okta:user_group"],
            "type": kind,
            "profile": {"name": name, "description": description},
        }
        self.members |= {(group_id, member) for member in members}
        return group_id

    def own(self, group_id: str, owner_id: str, kind: str = "USER") -> None:
        owner = {"id": owner_id, "type": kind, "originType": "OKTA_DIRECTORY", "originId": None, "resolved": True}
        self.owners.setdefault(group_id, []).append({**owner, "displayName": "", "lastUpdated": moment()})

    def give_role(self, assignee: str, kind: str) -> None:
        """To a user or a group."""
        to = "GROUP" if assignee in self.groups else "USER"
        role = {"id": new_id("ra1"), "label": kind, "type": kind, "status": "ACTIVE", "assignmentType": to}
        self.roles.setdefault(assignee, []).append({**role, "created": moment(), "lastUpdated": moment()})

    def signs_in(self, user_id: str, password: str) -> bool:
        return self.users[user_id]["status"] == "ACTIVE" and self.passwords[user_id][-1] == password

    # Requests

    def _handle(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        asked = f"{request.command} {request.path}"
        self.asked.append(asked)
        headers = {
            "X-Rate-Limit-Limit": "600",
            "X-Rate-Limit-Remaining": "599",
            "X-Okta-Request-Id": secrets.token_hex(),
        }
        following: str | None = None
        answer: Any
        planned = next((plan for plan in self.instead if plan[0] in asked), None)
        try:
            if request.headers.get("Authorization") != f"SSWS {TOKEN}":
                raise Failure(401, "E0000011", "Invalid token provided")
            if planned:
                self.instead.remove(planned)
                status, answer = planned[1], planned[3]
                headers |= planned[2]
            else:
                status, answer = self._answer(request.command, request.path, json.loads(body or b"{}"))
                if isinstance(answer, list):
                    answer, following = self._paged(request.path, answer)
        except Failure as failure:
            status, answer = failure.status, failure.body
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        if isinstance(answer, list):
            request.send_header("Link", f'<{self.url}{request.path}>; rel="self"')
            if following:
                request.send_header("Link", f'<{self.url}{following}>; rel="next"')
        content = b"" if answer == NOTHING else json.dumps(answer).encode()
        if content:
            request.send_header("Content-Type", "application/json")
        if status != 204:
            request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def _paged(self, path: str, found: list[Json]) -> tuple[list[Json], str | None]:
        """`after` is a cursor, opaque to those who page: here the id of the last one."""
        url = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        ids = [entry["id"] for entry in found]
        start = ids.index(query["after"]) + 1 if "after" in query else 0
        size = min(int(query.get("limit", self._page)), self._page)
        shown = found[start : start + size]
        if start + size >= len(found):
            return shown, None
        query["after"] = shown[-1]["id"]
        return shown, f"{url.path}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())

    def _answer(self, method: str, path: str, body: Json) -> Answer:
        url = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        parts = [unquote(part) for part in url.path.split("/")]
        if parts[:3] != ["", "api", "v1"]:
            raise Failure(404, "E0000008", "The requested path was not found")
        match method, parts[3:]:
            case "GET", ["users"]:
                return 200, self._searched(self.users, "login", query)
            case "GET", ["groups"]:
                return 200, self._searched(self.groups, "name", query)
            case "GET", ["users", wanted]:
                return 200, self._user(wanted)
            case "POST", ["users", wanted]:
                return 200, self._update(self._user(wanted), body, strict=query.get("strict") == "true")
            case "POST", ["users", wanted, "lifecycle", step]:
                return self._step(self._user(wanted), step)
            case "DELETE", ["users", wanted, "sessions"]:
                user = self._user(wanted)
                self.sessions[user["id"]] = 0 if query.get("oauthTokens") == "true" else 1
                return 204, NOTHING
            case "GET", ["users", wanted, "groups"]:
                user_id, first = self._user(wanted)["id"], "after" not in query
                return 200, [group for group in self.groups.values() if self._shown(group["id"], user_id, first)]
            case "GET", ["users", wanted, "roles"]:
                return 200, self._roles_of(self._user(wanted)["id"])
            case "GET", ["groups", wanted]:
                return 200, self._group(wanted)
            case "GET", ["groups", wanted, "users"]:
                group_id, first = self._group(wanted)["id"], "after" not in query
                return 200, [user for user in self.users.values() if self._shown(group_id, user["id"], first)]
            case "GET", ["groups", wanted, "owners"]:
                return 200, self.owners.get(self._group(wanted)["id"], [])
            case "GET", ["groups", wanted, "roles"]:
                return 200, self.roles.get(self._group(wanted)["id"], [])
            case "PUT" | "DELETE", ["groups", wanted, "users", member]:
                return self._change(self._group(wanted), self._user(member), into=method == "PUT")
        raise Failure(404, "E0000008", "The requested path was not found")

    def _user(self, wanted: str) -> Json:
        """By id, login, the part of it before the `@` if only one has it, or `me`."""
        if wanted == "me":
            return next(iter(self.users.values()))
        if wanted in self.users:
            return self.users[wanted]
        logins = {user["profile"]["login"].casefold(): user for user in self.users.values()}
        if wanted.casefold() in logins:
            return logins[wanted.casefold()]
        short = [user for login, user in logins.items() if login.split("@")[0] == wanted.casefold()]
        if len(short) != 1:
            raise not_found(wanted, "User")
        return short[0]

    def _group(self, wanted: str) -> Json:
        if wanted not in self.groups:
            raise not_found(wanted, "UserGroup")
        return self.groups[wanted]

    @staticmethod
    def _searched(among: dict[str, Json], attribute: str, query: dict[str, str]) -> list[Json]:
        if "search" not in query:
            return list(among.values())
        parsed = EQUALS.fullmatch(query["search"])
        if parsed is None or parsed[1] != attribute:
            raise Failure(400, "E0000031", "Invalid search criteria.")
        value = re.sub(r"\\(.)", r"\1", parsed[2]).casefold()
        return [entry for entry in among.values() if entry["profile"][attribute].casefold() == value]

    def _roles_of(self, user_id: str) -> list[Json]:
        """Also those that the user has by a group; their `assignmentType` says so."""
        groups = [group_id for group_id, member in self.members if member == user_id]
        return [role for assignee in (user_id, *groups) for role in self.roles.get(assignee, [])]

    def _update(self, user: Json, body: Json, *, strict: bool) -> Json:
        password = body.get("credentials", {}).get("password", {}).get("value")
        if password is None:
            raise invalid("credentials")
        if len(password) < SHORTEST:
            said = f"Password requirements were not met. Password requirements: at least {SHORTEST} characters."
            raise invalid(
                "password", f"password: {said} Your password cannot be any of your last {REMEMBERED} passwords."
            )
        if strict and password in self.passwords[user["id"]][-REMEMBERED:]:
            raise Failure(403, "E0000014", "Update of credentials failed", "Password has been used too recently")
        self.passwords[user["id"]].append(password)
        user["passwordChanged"] = user["lastUpdated"] = moment()
        return user

    @staticmethod
    def _step(user: Json, step: str) -> Answer:
        match step, user["status"]:
            case "suspend", "ACTIVE":
                user["status"] = "SUSPENDED"
            case "suspend", _:
                raise invalid("Cannot suspend a user that is not active")
            case "unsuspend", "SUSPENDED":
                user["status"] = "ACTIVE"
            case "unsuspend", _:
                raise invalid("Cannot unsuspend a user that is not suspended")
            case "unlock", "LOCKED_OUT":
                user["status"] = "ACTIVE"
            case "unlock", _:
                raise Failure(403, "E0000032", "Unlock is not allowed for this user.")
            case "deactivate", _:
                user["status"] = "DEPROVISIONED"
            case _:
                raise Failure(404, "E0000008", "The requested path was not found")
        user["statusChanged"] = moment()
        return 200, {}

    def _change(self, group: Json, user: Json, *, into: bool) -> Answer:
        if group["type"] != "OKTA_GROUP":
            raise Failure(501, "E0000060", "Unsupported operation.")
        link = (group["id"], user["id"])
        self._changed[link] = (link in self.members, 0)
        self.members = self.members | {link} if into else self.members - {link}
        return 204, NOTHING

    def _shown(self, group_id: str, user_id: str, first_page: bool) -> bool:
        link = (group_id, user_id)
        before, reads = self._changed.get(link, (False, self.lag))
        if link in self._changed and first_page:
            reads += 1
            self._changed[link] = (before, reads)
        return before if link in self._changed and reads <= self.lag else link in self.members
