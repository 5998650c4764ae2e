"""The page as people use it, in a real Chromium; the app is a stand-in that takes down what it is told."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from slack_sdk import WebClient

from sandbox import Sandbox
from sandbox.objects import Acknowledgement, Envelope

CHROMIUM = Path("/usr/bin/chromium")
QUIET = ["no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking", "disable-component-update"]
pytestmark = pytest.mark.browser


class App:
    """Acknowledges everything, with `answer` where one is due."""

    def __init__(self) -> None:
        self.told: list[Envelope] = []
        self.answer: dict[str, Any] | None = None
        self.listens = True

    def __call__(self, envelope: Envelope) -> "Future[Acknowledgement]":
        self.told.append(envelope)
        taken: Future[Acknowledgement] = Future()
        taken.set_result(Acknowledgement(ok=self.listens, body=self.answer, reason="" if self.listens else "timeout"))
        return taken

    def last(self, kind: str) -> dict[str, Any]:
        return next(each.payload for each in reversed(self.told) if each.payload.get("type") == kind)

    def wait_for(self, kind: str, count: int) -> list[dict[str, Any]]:
        """What was told of this kind, once it is so many; after a bound of time, however many there are."""
        deadline = time.monotonic() + 20
        while True:
            found = [each.payload for each in self.told if each.payload.get("type") == kind]
            if len(found) >= count or time.monotonic() > deadline:
                return found
            time.sleep(0.02)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[f"--{flag}" for flag in QUIET])
        yield browser
        browser.close()


@pytest.fixture
def told(sandbox: Sandbox) -> App:
    app = App()
    sandbox.workspace.deliver = app
    return app


@pytest.fixture
def page(chromium: Browser, sandbox: Sandbox, told: App) -> Iterator[Page]:
    """A page that complains about any error in its script or breach of its policy."""
    context = chromium.new_context(base_url=sandbox.page_url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(8000)
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda line: trouble.append(line.text) if line.type == "error" else None)
    yield page
    context.close()
    assert trouble == []


@pytest.fixture
def blocks() -> list[dict[str, Any]]:
    def text(content: str) -> dict[str, Any]:
        return {"type": "plain_text", "text": content}

    claim = {"type": "button", "action_id": "claim", "text": text("Claim")}
    feedback = {
        "type": "feedback_buttons",
        "action_id": "feedback",
        "positive_button": {"text": text("That helped"), "value": "up"},
        "negative_button": {"text": text("Not quite"), "value": "down"},
    }
    return [
        {"type": "section", "block_id": "s", "text": {"type": "mrkdwn", "text": "*INC0000001*"}},
        {"type": "actions", "block_id": "a", "elements": [claim]},
        {"type": "context_actions", "block_id": "f", "elements": [feedback]},
    ]


MODAL: dict[str, Any] = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Resolve"},
    "submit": {"type": "plain_text", "text": "Resolve"},
    "blocks": [
        {
            "type": "input",
            "block_id": "how",
            "label": {"type": "plain_text", "text": "Resolution"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


def test_a_question_opens_its_thread_and_the_answer_appears_there(page: Page, told: App, client: WebClient) -> None:
    page.goto("/")
    box = page.get_by_role("textbox", name="Message Deskmate")
    box.fill("I forgot my password")
    box.press("Enter")
    thread = page.get_by_role("complementary", name="Thread")
    expect(thread.get_by_text("I forgot my password")).to_be_visible()
    question = told.last("event_callback")["event"]
    channel, ts = question["channel"], question["ts"]
    client.assistant_threads_setStatus(channel_id=channel, thread_ts=ts, status="is thinking...")
    expect(thread.get_by_text("Deskmate is thinking...")).to_be_visible()
    client.chat_postMessage(channel=channel, thread_ts=ts, text="Here is *how*")
    expect(thread.locator('article[data-user="U0DESK"]')).to_contain_text("Here is how")
    expect(thread.get_by_text("Deskmate is thinking...")).to_have_count(0)
    expect(page.get_by_role("link", name="1 reply")).to_be_visible()


def test_an_example_question_is_asked_by_a_click(page: Page, told: App) -> None:
    page.goto("/as/U0ALICE")
    page.get_by_role("button", name="My laptop screen is cracked").click()
    expect(page.get_by_role("complementary", name="Thread")).to_contain_text("My laptop screen is cracked")


def test_what_is_being_typed_survives_a_refresh(page: Page, client: WebClient) -> None:
    page.goto("/as/U0ALICE/C/C0ITHELP")
    box = page.get_by_role("textbox", name="Message #it-help")
    box.type("half a sen")
    client.chat_postMessage(channel="C0ITHELP", text="An announcement")
    expect(page.get_by_text("An announcement")).to_be_visible()
    box.type("tence")
    expect(box).to_have_value("half a sentence")
    expect(box).to_be_focused()


def test_buttons_tell_the_app_who_clicked_what(page: Page, told: App, client: WebClient, blocks: list[Any]) -> None:
    client.chat_postMessage(channel="C0TRIAGE", text="A ticket", blocks=blocks)
    page.goto("/as/U0BOB/C/C0TRIAGE")
    page.get_by_role("button", name="Claim").click()
    page.get_by_role("button", name="Not quite").click()
    clicks = told.wait_for("block_actions", 2)
    assert [each["user"]["id"] for each in clicks] == ["U0BOB", "U0BOB"]
    assert [each["actions"][0]["action_id"] for each in clicks] == ["claim", "feedback"]
    assert clicks[1]["actions"][0]["value"] == "down"


def test_what_the_app_says_under_another_name_has_that_name(page: Page, client: WebClient) -> None:
    for name in (None, "Bob Brown", "Bob Brown", None):
        client.chat_postMessage(channel="C0ITHELP", text="Hello", username=name)
    page.goto("/as/U0ALICE/C/C0ITHELP")
    expect(page.locator("article .byline strong")).to_have_text(["Deskmate", "Bob Brown", "Deskmate"])
    expect(page.get_by_role("article", name="Bob Brown")).to_have_count(2)


def test_a_modal_shows_the_apps_errors_and_closes_when_accepted(
    page: Page, told: App, sandbox: Sandbox, client: WebClient
) -> None:
    page.goto("/as/U0BOB")
    client.views_open(trigger_id=sandbox.workspace.new_trigger("U0BOB"), view=MODAL)
    dialog = page.get_by_role("dialog", name="Resolve")
    expect(dialog.get_by_role("textbox", name="Resolution")).to_be_focused()
    dialog.get_by_role("button", name="Resolve").click()
    expect(dialog.get_by_role("alert")).to_have_text("Please complete this required field.")
    told.answer = {"response_action": "errors", "errors": {"how": "Say a little more."}}
    dialog.get_by_role("textbox", name="Resolution").fill("done")
    dialog.get_by_role("button", name="Resolve").click()
    expect(dialog.get_by_role("alert")).to_have_text("Say a little more.")
    expect(dialog.get_by_role("textbox", name="Resolution")).to_have_value("done")
    told.answer = None
    dialog.get_by_role("textbox", name="Resolution").press("Enter")
    expect(dialog).to_have_count(0)
    assert told.last("view_submission")["view"]["state"]["values"]["how"]["text"]["value"] == "done"


def test_two_tabs_are_two_people(page: Page, chromium: Browser, sandbox: Sandbox) -> None:
    page.goto("/as/U0ALICE/C/C0ITHELP")
    other = page.context.new_page()
    other.goto("/as/U0ALICE")
    other.get_by_role("link", name="Bob Brown").click()
    other.get_by_role("link", name="it-help").click()
    other.get_by_role("textbox", name="Message #it-help").fill("Hello Alice")
    other.get_by_role("button", name="Send").click()
    expect(page.locator('article[data-user="U0BOB"]')).to_contain_text("Hello Alice")


def test_ones_own_message_is_edited_and_deleted(page: Page, sandbox: Sandbox) -> None:
    ts = sandbox.workspace.post("U0ALICE", "C0GENERAL", "Helo")
    page.goto("/as/U0ALICE/C/C0GENERAL")
    line = page.locator(f'article[data-ts="{ts}"]')
    line.hover()
    line.get_by_role("button", name="Edit message").click()
    line.get_by_role("textbox", name="Edit your message").fill("Hello")
    line.get_by_role("button", name="Save").click()
    expect(line).to_contain_text("(edited)")
    expect(line.locator(".prose")).to_have_text("Hello")
    line.hover()
    line.get_by_role("button", name="Edit message").click()
    line.get_by_role("button", name="Delete").click()
    expect(line).to_have_count(0)


def test_a_file_is_shared_and_shown(page: Page, told: App) -> None:
    page.goto("/as/U0ALICE/C/C0GENERAL")
    page.get_by_label("Attach a file").set_input_files({"name": "log.txt", "mimeType": "text/plain", "buffer": b"x"})
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("link", name="log.txt")).to_be_visible()
    assert told.last("event_callback")["event"]["subtype"] == "file_share"


def test_a_command_is_answered_for_its_author_alone(page: Page, told: App) -> None:
    told.answer = {"text": "Your tickets: none"}
    page.goto("/as/U0ALICE/C/C0ITHELP")
    page.get_by_role("textbox", name="Message #it-help").fill("/desk tickets")
    page.get_by_role("button", name="Send").click()
    answer = page.get_by_role("article").filter(has_text="Your tickets: none")
    expect(answer).to_contain_text("Only visible to you")
    assert told.told[-1].payload["text"] == "tickets"


def test_two_slashes_are_no_command(page: Page, told: App) -> None:
    page.goto("/as/U0ALICE/C/C0ITHELP")
    page.get_by_role("textbox", name="Message #it-help").fill("// only a thought")
    page.get_by_role("button", name="Send").click()
    expect(page.locator('article[data-user="U0ALICE"]')).to_contain_text("// only a thought")


def test_an_assistant_chat_offers_prompts_to_click(page: Page, told: App, client: WebClient) -> None:
    page.goto("/as/U0ALICE")
    page.get_by_role("button", name="New assistant chat").click()
    thread = page.get_by_role("complementary", name="Thread")
    expect(thread).to_contain_text("Ask away")
    started = told.last("event_callback")["event"]["assistant_thread"]
    prompts = [{"title": "Reset my password", "message": "I forgot my password"}]
    channel, ts = started["channel_id"], started["thread_ts"]
    client.assistant_threads_setSuggestedPrompts(channel_id=channel, thread_ts=ts, prompts=prompts)
    thread.get_by_role("button", name="Reset my password").click()
    expect(thread.locator('article[data-user="U0ALICE"]')).to_contain_text("I forgot my password")


def test_the_home_tab_asks_the_app_once_and_shows_its_view(
    page: Page, told: App, client: WebClient, blocks: list[Any]
) -> None:
    page.goto("/as/U0ALICE")
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    client.views_publish(user_id="U0ALICE", view={"type": "home", "blocks": blocks[:2]})
    page.get_by_role("button", name="Claim").click()
    (click,) = told.wait_for("block_actions", 1)
    assert click["view"]["type"] == "home"
    opened = [each for each in told.told if each.payload.get("event", {}).get("type") == "app_home_opened"]
    assert len(opened) == 1


def test_the_authenticator_shows_the_code_of_now(page: Page, sandbox: Sandbox) -> None:
    page.goto("/as/U0ALICE")
    page.get_by_role("link", name="Authenticator").click()
    code = page.get_by_test_id("totp-code")
    expect(code).to_be_visible()
    now = sandbox.workspace.totp_of("U0ALICE")
    assert now is not None
    expect(code).to_have_text(now[0])


def test_the_page_says_when_nobody_listens(page: Page, told: App) -> None:
    told.listens = False
    page.goto("/as/U0ALICE/C/C0ITHELP")
    box = page.get_by_role("textbox", name="Message #it-help")
    box.fill("Anybody there?")
    box.press("Enter")
    expect(page.get_by_text("Deskmate isn't connected at the moment")).to_be_visible()
    told.listens = True
    box.fill("And now?")
    box.press("Enter")
    expect(page.get_by_text("Deskmate isn't connected at the moment")).to_have_count(0)


def test_hostile_text_runs_nothing(page: Page, sandbox: Sandbox, client: WebClient) -> None:
    hostile = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
    sandbox.workspace.post("U0ALICE", "C0GENERAL", hostile)
    client.chat_postMessage(channel="C0GENERAL", text="t", blocks=[{"type": "markdown", "text": hostile}])
    page.goto("/as/U0ALICE/C/C0GENERAL")
    expect(page.get_by_text("<script>")).to_have_count(2)
    expect(page.locator("article img, article script")).to_have_count(0)
    assert "owned" not in page.title()


def test_another_site_cannot_act_as_a_person(sandbox: Sandbox) -> None:
    form = {"channel": "C0GENERAL", "text": "I am Alice"}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = httpx.post(f"{sandbox.page_url}/as/U0ALICE/do/post", data=form, headers=headers)
        assert answer.status_code == 403
    assert sandbox.workspace.messages("C0GENERAL", "U0ALICE") == []


def test_the_policy_allows_no_script_or_picture_from_elsewhere(sandbox: Sandbox) -> None:
    policy = httpx.get(f"{sandbox.page_url}/", follow_redirects=True).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
