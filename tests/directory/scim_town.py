"""The town in a SCIM server that isn't ours: `scim2-server`, on loopback, asked over HTTP."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
from pydantic import SecretStr
from scim2_models import Filter, ScimProvider
from scim2_server.memory import InMemoryStorage
from scim2_server.testserver.application import BEARER_TOKEN_SCHEME, BearerTokenApplication
from scim2_server.testserver.cli import ThreadingWSGIServer
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)

from bot.directory.scim import ENTERPRISE, MEDIA_TYPE, ScimDirectory
from bot.directory.settings import DirectorySettings
from tests.directory.town import OLD, KeepsNoOwners

TOKEN = "token-of-the-tests"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
Asked = dict[str, Any]
"""WSGI's `environ`."""
Answer = tuple[int, Any]
LONGEST_PAGE = 2
"""So few that the town never fits on one page."""


@contextmanager
def scim_server() -> Iterator["Server"]:
    """A running server without anybody."""
    storage = InMemoryStorage()
    application = Watched(BearerTokenApplication(storage, provider(), bearer_tokens=[TOKEN]))
    with make_server(
        "127.0.0.1", 0, application, server_class=ThreadingWSGIServer, handler_class=QuietHandler
    ) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/v2"
        try:
            settings = DirectorySettings(directory="scim", scim_url=url, scim_token=SecretStr(TOKEN))
            yield Server(settings, storage, application)
        finally:
            server.shutdown()
            thread.join(10)


@cache
def provider() -> ScimProvider:
    config = load_default_service_provider_config()
    config.filter = Filter(supported=True, max_results=LONGEST_PAGE)
    config.authentication_schemes = [BEARER_TOKEN_SCHEME]
    return ScimProvider.from_discovery(
        load_default_schemas().values(), load_default_resource_types().values(), config=config
    )


class Watched:
    """Notes what the server is asked. `instead` may change what is asked, or answer itself: the status, and JSON."""

    def __init__(self, application: BearerTokenApplication) -> None:
        self.asked: list[Asked] = []
        self.instead: Callable[[Asked], Answer | None] = lambda asked: None
        self._application = application

    def __call__(self, environ: Asked, start_response: Any) -> Iterable[bytes]:
        answer = self.instead(environ)
        self.asked.append(dict(environ))
        if answer is None:
            return self._application(environ, start_response)
        status, body = answer
        start_response(f"{status} as told", [("Content-Type", MEDIA_TYPE)])
        return [json.dumps(body).encode()]


@dataclass(frozen=True)
class Server:
    settings: DirectorySettings
    storage: InMemoryStorage
    watched: Watched


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


class ScimTown(KeepsNoOwners):
    """Satisfies `Town`."""

    def __init__(self, server: Server) -> None:
        self.settings, self.watched, self._storage = server.settings, server.watched, server.storage
        self.directory = ScimDirectory(server.settings)
        self._ids: dict[str, str] = {}
        victor = self.add_person("victor")
        alice = self.add_person("alice", **{ENTERPRISE: {"manager": {"value": victor}}})
        adam, nina = self.add_person("adam"), self.add_person("nina")
        night = self.add_group("night-shift", User=[nina])
        inner = self.add_group("inner", Group=[night])
        self.add_group("admins", User=[adam], Group=[inner])
        self.add_group("staff", User=[alice, victor, adam, nina])
        self.add_group("design-tools", User=[victor])

    def add_person(self, account: str, **more: Any) -> str:
        schemas = [USER] + [name for name in more if name.startswith("urn:")]
        mail = [{"value": f"{account}@harbour.example", "type": "work", "primary": True}]
        body = {"userName": account, "displayName": account.title(), "emails": mail, "active": True, "password": OLD}
        self._ids[account] = self.post("Users", {"schemas": schemas, **body, **more})
        return self._ids[account]

    def add_group(self, name: str, **members: list[str]) -> str:
        listed = [{"value": member, "type": kind} for kind, those in members.items() for member in those]
        return self.post("Groups", {"schemas": [GROUP], "displayName": name, "members": listed})

    def post(self, place: str, body: dict[str, Any]) -> str:
        answer = self.ask("POST", place, body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def ask(self, method: str, place: str, body: Any = None) -> httpx.Response:
        """As the administrator."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": MEDIA_TYPE}
        return httpx.request(
            method, f"{self.settings.scim_url}/{place}", json=body, headers=headers, timeout=10, verify=False
        )

    def recreate(self, account: str) -> None:
        assert self.ask("DELETE", f"Users/{self._ids[account]}").status_code == 204
        self.add_person(account)

    def lock(self, account: str) -> None:
        """Nobody is locked out: SCIM knows no locks."""

    def signs_in(self, account: str, password: str) -> bool:
        """SCIM tries no passwords: what the server stores is looked at."""
        (user,) = (one for one in self._storage.resources if one.id == self._ids[account])
        return bool(user.active and user.password == password)  # type: ignore[attr-defined]  # a model made from schemas

    def sessions(self, account: str) -> int:
        return 1
