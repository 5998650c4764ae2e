"""A token for a service account by OAuth 2.0's client credentials (RFC 6749, 4.4)."""

import time
from collections.abc import Callable, Mapping
from threading import Lock

from bot.directory.directory import DirectoryRefused, DirectoryUnavailable
from bot.directory.http import Api

MARGIN = 60.0
"""Seconds before its end in which a token isn't used any more: clocks differ, and requests take their time."""


class ClientCredentials:
    """Keeps the token until shortly before its end. Safe to use from many threads."""

    def __init__(
        self,
        api: Api,
        path: str,
        *,
        client_id: str,
        secret: Callable[[], str],
        scope: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`path` is the token endpoint below the API's base."""
        self._api, self._path = api, path
        self._client_id, self._secret, self._scope = client_id, secret, scope
        self._clock = clock
        self._lock = Lock()
        self._token, self._good_until = "", 0.0

    def authorization(self, anew: bool) -> Mapping[str, str]:
        """The header for a request. Errors: `DirectoryUnavailable`."""
        with self._lock:
            if anew or not self._token or self._clock() >= self._good_until:
                self._fetch()
            return {"Authorization": f"Bearer {self._token}"}

    def _fetch(self) -> None:
        asked = self._clock()
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._secret(),
            "scope": self._scope,
        }
        try:
            answer = self._api.send("POST", self._path, form=form)
        except DirectoryRefused as error:
            raise DirectoryUnavailable("The directory doesn't let the service account in.") from error
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(seconds, int):
            raise DirectoryUnavailable("The directory gave the service account no token.")
        self._token, self._good_until = token, asked + max(seconds - MARGIN, 0.0)
