"""One desk and one browser for the whole story."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.desk import Desk
from tests.e2e.person import Arrive, Person

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
)
PATIENCE_MS, PLAYWRIGHTS_OWN_MS = 20_000, 5_000


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("story"))
    try:
        desk.wait()
        yield desk
    finally:
        desk.kill()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[f"--{flag}" for flag in QUIET])
        yield browser
        browser.close()


@pytest.fixture
def arrive(chromium: Browser, desk: Desk) -> Iterator[Arrive]:
    """Lets somebody arrive in a browser context of their own."""
    people: list[Person] = []
    expect.set_options(timeout=PATIENCE_MS)

    def by_name(name: str) -> Person:
        context = chromium.new_context(base_url=desk.page, viewport={"width": 1280, "height": 800})
        context.set_default_timeout(PATIENCE_MS)
        people.append(Person(context, name))
        return people[-1]

    yield by_name
    expect.set_options(timeout=PLAYWRIGHTS_OWN_MS)
    for person in people:
        person.page.context.close()
    assert [person.trouble for person in people if person.trouble] == []
