"""How a directory's HTTP API is spoken to when it is busy, away, or changes its mind."""

from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from bot.directory.directory import DirectoryRefused, DirectoryUnavailable
from bot.directory.http import MOST_PAGES, Api, Conflict, NotThere, Refused
from bot.directory.settings import DirectoryMisconfigured

Answer = tuple[int, dict[str, str], bytes]
FINE: Answer = (200, {}, b'{"fine": true}')
CUT: Answer = (0, {}, b"")


class Server:
    """Answers one request after the other as it was told to; `CUT` hangs up instead."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[bytes] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                outer.asked.append((self.command, self.headers.get("Authorization", "")))
                outer.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                status, headers, body = outer.answers.pop(0)
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response_only(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = handle_any

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def api(server: Server, slept: list[float] | None = None) -> Api:
    def authorization(anew: bool) -> Mapping[str, str]:
        return {"Authorization": "second" if anew else "first"}

    pauses: Callable[[float], None] = (slept if slept is not None else []).append
    return Api(server.url, setting="DESKMATE_X_URL", authorization=authorization, sleep=pauses)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_asked_to_come_later_comes_later(server: Server, method: Any) -> None:
    server.answers = [(429, {"Retry-After": "2"}, b""), (503, {"Retry-After": "3"}, b""), FINE]
    slept: list[float] = []

    assert api(server, slept).send(method, "users") == {"fine": True}
    assert slept == [2.0, 3.0]


def test_nobody_waits_long_for_a_busy_directory(server: Server) -> None:
    server.answers = [(429, {"Retry-After": "9"}, b""), (429, {"Retry-After": "9"}, b"")]
    slept: list[float] = []

    with pytest.raises(DirectoryUnavailable, match="busy"):
        api(server, slept).get("users")
    assert slept == [9.0]


def test_a_time_to_come_back_at_is_told_by_the_servers_clock(server: Server) -> None:
    clock = {"Date": "Thu, 01 Jan 1970 00:01:40 GMT"}
    server.answers = [
        (429, {"X-Rate-Limit-Reset": "104", **clock}, b""),
        (429, {"X-Rate-Limit-Reset": "90", **clock}, b""),
        (429, {"X-Rate-Limit-Reset": "soon", **clock}, b""),
        FINE,
    ]
    slept: list[float] = []

    assert api(server, slept).send("POST", "users") == {"fine": True}
    assert slept == [4.0, 1.0, 1.5]


def test_a_list_is_read_to_its_last_page(server: Server) -> None:
    following = {"Link": f'<{server.url}/users?after=2>; rel="next"'}
    server.answers = [(200, following, b"[1, 2]"), (429, {"Retry-After": "0"}, b""), (200, {}, b"[3]")]

    assert api(server).listed("users", limit=2) == [1, 2, 3]


@pytest.mark.parametrize(
    ("address", "body"), [("http://elsewhere.example/v1/users", b"[]"), ("{url}x/users", b"[]"), ("{url}/users", b"{}")]
)
def test_half_a_list_is_no_list(server: Server, address: str, body: bytes) -> None:
    following = {"Link": f'<{address.format(url=server.url)}>; rel="next"'}
    server.answers = [(200, following, body)] * MOST_PAGES

    with pytest.raises(DirectoryUnavailable):
        api(server).listed("users")
    assert len(server.asked) == 1


def test_a_list_that_goes_in_circles_ends(server: Server) -> None:
    server.answers = [(200, {"Link": f'<{server.url}/users>; rel="next"'}, b"[1]")] * MOST_PAGES

    with pytest.raises(DirectoryUnavailable, match="end"):
        api(server).listed("users")


def test_reading_is_tried_again_and_a_change_is_not(server: Server) -> None:
    server.answers = [CUT, (502, {}, b""), FINE]
    assert api(server).get("users") == {"fine": True}

    server.answers, server.asked = [CUT], []
    with pytest.raises(DirectoryUnavailable, match="isn't known"):
        api(server).send("POST", "users", {})
    server.answers = [(503, {}, b"")]
    with pytest.raises(DirectoryUnavailable):
        api(server).send("PATCH", "users", {})
    assert len(server.asked) == 2


def test_a_token_that_isnt_taken_is_fetched_anew_once(server: Server) -> None:
    server.answers = [(401, {}, b""), FINE]
    assert api(server).send("POST", "users") == {"fine": True}
    assert [authorization for _, authorization in server.asked] == ["first", "second"]

    server.answers = [(401, {}, b""), (401, {}, b"")]
    with pytest.raises(DirectoryUnavailable, match="service account"):
        api(server).get("users")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, DirectoryRefused),
        (403, DirectoryRefused),
        (404, NotThere),
        (409, Conflict),
        (412, Conflict),
        (302, DirectoryUnavailable),
        (500, DirectoryUnavailable),
    ],
)
def test_each_refusal_has_its_meaning(server: Server, status: int, error: type[Exception]) -> None:
    server.answers = [(status, {}, b"secret of the server")]

    with pytest.raises(error) as raised:
        api(server).send("POST", "users")
    assert "secret" not in str(raised.value)


def test_the_servers_own_words_are_kept_apart_from_what_is_shown(server: Server) -> None:
    server.answers = [(400, {}, b"already exists")]

    with pytest.raises(Refused) as raised:
        api(server).send("POST", "users")
    assert (raised.value.status, raised.value.said) == (400, "already exists")
    assert "exists" not in str(raised.value)


def test_a_form_is_sent_as_one(server: Server) -> None:
    server.answers = [FINE]
    api(server).send("POST", "token", form={"scope": "a b&c"})
    assert server.bodies == [b"scope=a+b%26c"]


def test_an_answer_that_isnt_json_is_no_success(server: Server) -> None:
    server.answers = [(200, {}, b"<html>")]
    with pytest.raises(DirectoryUnavailable, match="JSON"):
        api(server).get("users")
    server.answers = [(204, {}, b"")]
    assert api(server).send("POST", "users") == {}


@pytest.mark.parametrize("url", [None, "", "ldap://host", "http://directory.example", "https://"])
def test_only_this_machine_is_spoken_to_without_tls(url: str | None) -> None:
    with pytest.raises(DirectoryMisconfigured, match="DESKMATE_X_URL"):
        Api(url, setting="DESKMATE_X_URL", authorization=lambda _: {})
