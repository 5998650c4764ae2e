"""A person at the page, with what people do there."""

import io
import os
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, expect

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WANTED = os.environ.get("DESKMATE_SCREENSHOTS") == "1"


class Person:
    """Somebody in a browser of their own. Errors of the page's script are kept in `trouble`."""

    def __init__(self, context: BrowserContext, name: str) -> None:
        self.trouble: list[str] = []
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("console", lambda line: self.trouble.append(line.text) if line.type == "error" else None)
        self.page.goto("/")
        self.page.get_by_role("link", name=name, exact=True).click()
        self.id = self.page.url.split("/as/")[1].split("/")[0]
        self._live()

    def _live(self) -> None:
        expect(self.page.locator("body[data-live=yes]")).to_be_attached()

    @property
    def thread(self) -> Locator:
        return self.page.get_by_role("complementary", name="Thread")

    def said_by_the_desk(self) -> Locator:
        """The desk's messages in the open thread."""
        return self.thread.locator('article[data-user="U0DESK"]')

    def ask(self, text: str) -> None:
        """A new conversation with the desk; its thread is open afterwards."""
        self.page.get_by_role("link", name="Messages", exact=True).or_(
            self.page.get_by_role("link", name="Deskmate", exact=True)
        ).first.click()
        self._say("Message Deskmate", text)
        expect(self.thread.locator(f'article[data-user="{self.id}"]')).to_contain_text(text)
        self._live()

    def reply(self, text: str) -> None:
        """A message in the open thread."""
        self._say("Reply in thread", text)

    def _say(self, box: str, text: str) -> None:
        field = self.page.get_by_role("textbox", name=box)
        field.fill(text)
        field.press("Enter")

    def open(self, name: str) -> None:
        """Something in the rail at the left."""
        rail = self.page.get_by_role("navigation", name="Workspace")
        rail.get_by_role("link", name=name).click()
        self._live()

    def picture(self, name: str, page: Page | None = None) -> None:
        """A screenshot for the documentation, when one is wanted."""
        if WANTED:
            shown = page or self.page
            shown.mouse.move(600, 10)
            shown.wait_for_timeout(200)  # for the page to notice that nothing is pointed at any more
            keep(shown.screenshot(animations="disabled", caret="hide"), IMAGES / f"{name}.png")


def keep(screenshot: bytes, path: Path) -> None:
    """In 256 colours, which is less than half the size and looks the same."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    full = Image.open(io.BytesIO(screenshot)).convert("RGB")
    # The usual way, by median cut, loses the rare colours: those of emoji and badges.
    full.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)


Arrive = Callable[[str], Person]
