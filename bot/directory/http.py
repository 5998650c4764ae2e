"""A directory's HTTP API: JSON there and back, over TLS, never taken for done when that isn't known."""

import ssl
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from bot.directory.directory import DirectoryRefused, DirectoryUnavailable
from bot.directory.local import is_this_machine
from bot.directory.settings import DirectoryMisconfigured
from store import utc_now

ANSWER_SECONDS = 8.0
LONGEST_WAIT = 10.0
"""Seconds in all that one request waits because the server asks for it: somebody is waiting in Slack."""
ATTEMPTS = 4
SHORTEST_WAIT = 0.5
MOST_PAGES = 100

Json = dict[str, Any]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
UNKNOWN_OUTCOME = "The directory didn't answer, so it isn't known whether it was done."


class NotThere(DirectoryUnavailable):
    """The directory knows nothing at this address."""


class Conflict(DirectoryUnavailable):
    """What is asked for stands against what is there (409, 412): read again before another try."""


class Refused(DirectoryRefused):
    """400, 403, 422: nothing has changed. `said` is what the server answered, to tell reasons apart: never to be shown,
    since nobody knows what it holds."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"The directory doesn't let me do this ({status}).")
        self.status = status
        self.said = said


class Api:
    """`authorization(anew)` gives the headers that let the service account in; `anew` when the last ones weren't
    taken. Slashes and all else in a path's parts are the caller's to quote."""

    def __init__(
        self,
        base_url: str | None,
        *,
        setting: str,
        authorization: Callable[[bool], Mapping[str, str]],
        ca_file: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`setting` is the name of the one that holds the base URL. Errors: `DirectoryMisconfigured`; the server isn't
        asked yet."""
        url = urlsplit(base_url or "")
        if not url.hostname or url.scheme not in ("https", "http"):
            raise DirectoryMisconfigured(f"{setting} must be https://host.")
        if url.scheme == "http" and not is_this_machine(url.hostname):
            raise DirectoryMisconfigured(f"{setting} must be https://: only this machine is spoken to without TLS.")
        self._base = (base_url or "").rstrip("/")
        self._authorization = authorization
        self._sleep = sleep
        self._tls = ssl.create_default_context(cafile=ca_file)

    def get(self, path: str, **params: str | int) -> Json:
        """Errors: `NotThere`, `DirectoryRefused`, `DirectoryUnavailable`."""
        return self.send("GET", path, params=params)

    def listed(self, path: str, **params: str | int) -> list[Any]:
        """All that is in a list, over the pages that the server names by `Link: <...>; rel="next"` (RFC 8288).

        Errors: as `get`; what isn't known to be the whole list is none.
        """
        found: list[Any] = []
        for _ in range(MOST_PAGES):
            response = self._answer("GET", path, None, None, params, {})
            values = told(response).get("values")
            if not isinstance(values, list):
                raise DirectoryUnavailable("The directory answered with something that isn't a list.")
            found += values
            following = response.links.get("next", {}).get("url")
            if not following:
                return found
            if not following.startswith(f"{self._base}/"):
                raise DirectoryUnavailable("The directory's next page is somewhere else.")
            path, params = following, {}
        raise DirectoryUnavailable("The directory's list doesn't end.")

    def send(
        self,
        method: Method,
        path: str,
        body: Any = None,
        *,
        form: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """What the server answers, empty when it says nothing. `path` may be a whole URL below the base, as servers
        give it for the next page. `body` goes as JSON, `form` as a form.

        What the server asks to be sent later is sent again; what got no answer is only when it reads.
        Errors: `NotThere`, `Conflict`, `Refused` (a `DirectoryRefused`), `DirectoryUnavailable`.
        """
        return told(self._answer(method, path, body, form, params, headers or {}))

    def _answer(
        self,
        method: Method,
        path: str,
        body: Any,
        form: Mapping[str, str] | None,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str],
    ) -> httpx.Response:
        waited, anew = 0.0, False
        for attempt in range(1, ATTEMPTS + 1):
            response = self._asked(method, path, body, form, params, {**self._authorization(anew), **headers})
            last = attempt == ATTEMPTS
            if response is None:
                if method != "GET" or last:
                    raise DirectoryUnavailable(UNKNOWN_OUTCOME)
                pause = SHORTEST_WAIT * attempt
            elif response.status_code == 401 and not anew:
                anew = True
                continue
            elif is_later(response) or (method == "GET" and response.status_code >= 500):
                pause = wait_asked(response, SHORTEST_WAIT * attempt)
                if last or waited + pause > LONGEST_WAIT:
                    raise DirectoryUnavailable("The directory is too busy at the moment.")
            else:
                return response
            waited += pause
            self._sleep(pause)
        raise DirectoryUnavailable(UNKNOWN_OUTCOME)

    def _asked(
        self,
        method: Method,
        path: str,
        body: Any,
        form: Mapping[str, str] | None,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str],
    ) -> httpx.Response | None:
        """None if there was no answer. A client per request: calls are rare, and no connection is ever stale."""
        url = path if path.startswith(f"{self._base}/") else f"{self._base}/{path.lstrip('/')}"
        with httpx.Client(timeout=ANSWER_SECONDS, verify=self._tls, follow_redirects=False) as client:
            try:
                return client.request(method, url, json=body, data=form, params=params or None, headers=headers)
            except (httpx.TransportError, httpx.DecodingError):
                return None


def is_later(response: httpx.Response) -> bool:
    """Whether the server has done nothing yet and says so."""
    return response.status_code == 429 or (response.status_code == 503 and "Retry-After" in response.headers)


def told(response: httpx.Response) -> Json:
    match response.status_code:
        case 404:
            raise NotThere("The directory doesn't know this account or group any more.")
        case 409 | 412:
            raise Conflict("The directory has changed meanwhile.")
        case 400 | 403 | 422:
            raise Refused(response.status_code, response.text)
        case 401:
            raise DirectoryUnavailable("The directory doesn't let the service account in.")
        case code if not 200 <= code < 300:
            raise DirectoryUnavailable(f"The directory didn't do it ({code}).")
    if not response.content.strip():
        return {}
    try:
        found = response.json()
    except ValueError as error:
        raise DirectoryUnavailable("The directory answered with something that isn't JSON.") from error
    return found if isinstance(found, dict) else {"values": found}


def wait_asked(response: httpx.Response, otherwise: float) -> float:
    """Seconds by `Retry-After` (a number, or a date), RFC 9110, 10.2.3; or until `X-Rate-Limit-Reset` (seconds since
    1970, as Okta has it), by the server's own clock."""
    asked = response.headers.get("Retry-After", "").strip()
    if asked.isdigit():
        return float(asked)
    reset = response.headers.get("X-Rate-Limit-Reset", "").strip()
    try:
        if not asked and reset.isdigit():
            now = parsedate_to_datetime(response.headers["Date"]) if "Date" in response.headers else utc_now()
            return max(otherwise, float(reset) - now.timestamp())
        return max(0.0, (parsedate_to_datetime(asked) - utc_now()).total_seconds())
    except (ValueError, TypeError):
        return otherwise
