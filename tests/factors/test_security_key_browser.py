"""Registering a key and resetting a password with it in a real Chromium, with a virtual authenticator in it."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs

import httpx
import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

from bot.web import listening, served
from store import Database
from store.durable import Durable
from tests.conftest import free_port
from tests.reset.desk import NEW_PASSWORD, OLD_PASSWORD, Mailbox, ResetDesk

CHROMIUM = Path("/usr/bin/chromium")
QUIET = ["no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking", "disable-component-update"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

T = TypeVar("T")

KEY = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasResidentKey": False,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def apart(call: Callable[[], T]) -> T:
    """On a thread of its own: on the browser's an event loop runs, beside which the durable runtime does nothing."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(call).result()


def page_of(desk: ResetDesk, user: str = "U0ALICE", purpose: str = "reset") -> str:
    """The path of a new one-time page."""
    return apart(lambda: desk.link(desk.key_requested(user) if purpose == "key" else desk.linked(user), purpose))


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'deskmate.sqlite'}"


@pytest.fixture
def desk(
    database: Database, database_url: str, tmp_path: Path, mail_server: tuple[str, Mailbox]
) -> Iterator[ResetDesk]:
    """The pages as they are served, at a name that browsers trust without https."""
    port = free_port()

    def opened() -> ResetDesk:
        desk = ResetDesk(
            database=database,
            durable=Durable(database_url=database_url, home=tmp_path, executor_id="tester"),
            smtp_url=mail_server[0],
            mailbox=mail_server[1],
            public_url=f"http://localhost:{port}/",
        )
        desk.add("alice", "U0ALICE", manager="victor")
        desk.add("victor", "U0VICTOR")
        return desk

    desk = apart(opened)
    with served(desk.pages, listening("127.0.0.1", port)):
        yield desk
    apart(desk.durable.close)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[f"--{flag}" for flag in QUIET])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, desk: ResetDesk) -> Iterator[Page]:
    """A page that complains about any error in its script or breach of its policy."""
    context = chromium.new_context(base_url=desk.public_url)
    context.set_default_timeout(20_000)
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda line: trouble.append(line.text) if "Content Security Policy" in line.text else None)
    yield page
    context.close()
    assert trouble == []


class Keys:
    """The virtual authenticators that are plugged into a page."""

    def __init__(self, page: Page) -> None:
        self._line: CDPSession = page.context.new_cdp_session(page)
        self._line.send("WebAuthn.enable")

    def plug_in(self, **changed: Any) -> str:
        answer: dict[str, str] = self._line.send("WebAuthn.addVirtualAuthenticator", {"options": KEY | changed})
        return answer["authenticatorId"]

    def unplug(self, key: str) -> None:
        self._line.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": key})

    def credentials(self, key: str) -> list[dict[str, Any]]:
        answer = self._line.send("WebAuthn.getCredentials", {"authenticatorId": key})
        found: list[dict[str, Any]] = answer["credentials"]
        return found

    def put(self, key: str, credential: dict[str, Any]) -> None:
        self._line.send("WebAuthn.addCredential", {"authenticatorId": key, "credential": credential})


def register(desk: ResetDesk, page: Page, user: str = "U0ALICE") -> None:
    page.goto(page_of(desk, user, "key"))
    page.get_by_label("Authenticator code").fill(desk.code())
    page.get_by_label("Name of the key").fill("blue key")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Register this key").click()
    expect(page.get_by_role("heading")).to_have_text("Your security key is registered")


def open_the_password_page(desk: ResetDesk, page: Page) -> None:
    page.goto(page_of(desk))
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("Repeat new password").fill(NEW_PASSWORD)


def test_a_key_is_registered_and_after_72_hours_a_password_is_reset_with_it(desk: ResetDesk, page: Page) -> None:
    Keys(page).plug_in()
    register(desk, page)
    desk.clock.forward(hours=72)

    sent: list[str] = []
    page.on("request", lambda each: sent.append(each.post_data or "") if each.method == "POST" else None)
    open_the_password_page(desk, page)
    page.get_by_role("button", name="Use your security key").click()
    expect(page.get_by_role("heading")).to_have_text("Your password is changed")

    assert desk.password_is("alice", NEW_PASSWORD)
    (form,) = map(parse_qs, sent)
    assertion = form["assertion"][0]
    desk.clock.forward(hours=24)
    again = page_of(desk)
    fields = {"assertion": assertion, "new": "another long password", "again": "another long password"}
    replayed = httpx.post(desk.public_url.rstrip("/") + again, data=fields)
    assert (replayed.status_code, "2 tries left" in replayed.text) == (422, True)
    assert desk.password_is("alice", NEW_PASSWORD)


def test_another_key_resets_nothing(desk: ResetDesk, page: Page) -> None:
    keys = Keys(page)
    own = keys.plug_in()
    register(desk, page)
    desk.clock.forward(hours=72)
    (credential,) = keys.credentials(own)
    keys.unplug(own)

    # Chromium asks no key for a credential that it doesn't hold, ...
    other = keys.plug_in()
    open_the_password_page(desk, page)
    page.get_by_role("button", name="Use your security key").click()
    expect(page.locator("[data-said]")).to_contain_text("Try again")
    # ... so this one claims to be it, with a private key of its own.
    register(desk, page, "U0VICTOR")
    (victors,) = keys.credentials(other)
    keys.put(other, victors | {"credentialId": credential["credentialId"]})
    open_the_password_page(desk, page)
    page.get_by_role("button", name="Use your security key").click()

    expect(page.get_by_role("alert")).to_contain_text("You have 2 tries left")
    assert desk.password_is("alice", OLD_PASSWORD)


def test_a_key_without_a_pin_is_not_registered(desk: ResetDesk, page: Page) -> None:
    Keys(page).plug_in(hasUserVerification=False, isUserVerified=False)
    page.goto(page_of(desk, purpose="key"))
    page.get_by_label("Authenticator code").fill(desk.code())
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Register this key").click()

    expect(page.locator("[data-said]")).to_have_text(re.compile("try again|can't be registered", re.IGNORECASE))


def test_with_a_key_registered_the_code_still_does_and_needs_no_script(
    desk: ResetDesk, page: Page, chromium: Browser
) -> None:
    Keys(page).plug_in()
    register(desk, page)
    desk.clock.forward(hours=72)
    context = chromium.new_context(base_url=desk.public_url, java_script_enabled=False)
    plain = context.new_page()

    open_the_password_page(desk, plain)
    expect(plain.get_by_role("button", name="Use your security key")).to_have_count(0)
    plain.get_by_label("Authenticator code").fill(desk.code())
    plain.get_by_role("button", name="Change password").click()
    expect(plain.get_by_role("heading")).to_have_text("Your password is changed")
    context.close()

    assert desk.password_is("alice", NEW_PASSWORD)
