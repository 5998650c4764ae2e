"""The whole story, as people see it in a browser: a cited answer, a password reset, a ticket from hand to hand."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

import deskmate
from tests.e2e.desk import Desk
from tests.e2e.person import Arrive, Person
from tests.security.test_t7_secret_exposure import encodings

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PEOPLE = json.loads((Path(deskmate.__file__).parent / "sample" / "people.json").read_text("utf-8"))
OLD_PASSWORD = next(person["password"] for person in PEOPLE if person["account"] == "alice")
CANARY = "kanary+Görlitz/tram=7 & more"


def test_a_question_is_answered_with_its_source_and_the_thumb_is_taken(arrive: Arrive, desk: Desk) -> None:
    alice = arrive("Alice Adams")
    alice.ask("How do I set up the VPN on Windows?")

    answer = alice.said_by_the_desk().first
    expect(answer).to_contain_text("vpn.harbourpine.example")
    source = answer.get_by_role("link", name="Set up the VPN on Windows")
    expect(source).to_have_attribute("href", "https://kb.harbourpine.example/network/vpn-setup#steps")
    alice.picture("answer")
    answer.get_by_role("button", name="This answer helped").click()
    expect(alice.thread).to_contain_text("Thanks, glad it helped.")
    assert [each for each in desk.command("tickets", "list") if "VPN" in each["title"]] == []


def test_a_password_is_reset_and_is_nowhere_but_in_the_directory(arrive: Arrive, desk: Desk) -> None:
    alice = arrive("Alice Adams")
    alice.ask("I forgot my password")
    expect(alice.said_by_the_desk().first).to_contain_text("Go on with the card below")
    go_on = alice.thread.get_by_role("button", name="Continue")
    expect(go_on).to_be_visible()
    alice.picture("reset-card")
    go_on.click()
    link = alice.thread.get_by_role("link", name="Choose a new password")
    expect(link).to_be_visible()
    with alice.page.context.expect_page() as opened:
        link.click()
    form = opened.value
    authenticator = alice.page.context.new_page()
    authenticator.goto(f"/as/{alice.id}/authenticator")
    form.bring_to_front()
    form.get_by_label("New password", exact=True).fill(CANARY)
    form.get_by_label("Repeat new password").fill(CANARY)
    form.get_by_label("Authenticator code").fill(authenticator.get_by_test_id("totp-code").inner_text())
    alice.picture("one-time-page", form)
    form.get_by_role("button", name="Change password").click()
    expect(form.get_by_role("status")).to_be_visible()
    alice.picture("one-time-page-done", form)
    alice.page.bring_to_front()
    expect(alice.said_by_the_desk().last).to_contain_text("Your password was changed")
    alice.page.get_by_role("textbox", name="Reply in thread").focus()
    alice.picture("reset-done")

    assert desk.password_is("alice", CANARY)
    assert not desk.password_is("alice", OLD_PASSWORD)
    alice.open("Mail")
    for subject in ("A new password was asked for", "Your password was changed"):
        expect(alice.page.get_by_role("article", name=subject)).to_have_count(2)
    alice.picture("mail")
    dana = arrive("Dana Diaz")
    dana.open("Mail")
    expect(dana.page.get_by_role("article", name="The password of Alice Adams was changed").first).to_be_visible()
    (ticket,) = [each for each in desk.command("tickets", "list") if each["title"] == "Password reset"]
    assert (ticket["state"], ticket["requester"]) == ("resolved", alice.id)
    places = {
        "database": desk.rows("deskmate.sqlite"),
        "durable": desk.rows("durable.sqlite"),
        "files, logs and output": desk.files(),
        "Slack calls": json.dumps(desk.slack_calls(), ensure_ascii=False).encode(),
        "messages and mail": json.dumps(desk.state(), ensure_ascii=False).encode(),
        "page": form.content().encode(),
    }
    for place, content in places.items():
        assert content, f"{place} wasn't searched"
        assert not any(form_of in content for form_of in encodings(CANARY)), f"the new password is in: {place}"


def test_a_ticket_goes_from_hand_to_hand_until_it_is_rated(arrive: Arrive, desk: Desk) -> None:
    alice, bob = arrive("Alice Adams"), arrive("Bob Brown")
    alice.ask("My laptop screen is cracked and shows stripes")
    expect(alice.said_by_the_desk().first).to_contain_text("An agent will answer right here in this thread")
    alice.picture("ticket")
    (ticket,) = [each for each in desk.command("tickets", "list") if "cracked" in each["title"]]
    number = ticket["number"]
    assert (ticket["state"], ticket["requester"], ticket["assignee"]) == ("new", alice.id, None)
    expect(alice.thread).to_contain_text(number)

    bob.open("it-triage")
    card = bob.page.locator("#feed article").filter(has_text=number)
    expect(card).to_contain_text("My laptop screen is cracked and shows stripes")
    expect(card).to_contain_text("Alice Adams")
    card.get_by_role("button", name="Claim").click()
    expect(card.get_by_role("button", name="Claim")).to_have_count(0)
    expect(card).to_contain_text("Bob Brown")
    card.hover()
    card.get_by_role("link", name="Reply in thread").click()
    bob.reply("I have a spare screen. Can you come to room 12 at 14:00?")
    from_bob = alice.thread.locator("article").filter(has_text="room 12 at 14:00")
    expect(from_bob).to_contain_text("Bob Brown")
    alice.reply("Yes, I'll be there.")
    from_alice = bob.thread.locator("article").filter(has_text="Yes, I'll be there.")
    expect(from_alice).to_contain_text("Alice Adams")
    bob.reply("// Asset 4711, still under warranty.")
    expect(bob.thread).to_contain_text("still under warranty")
    bob.picture("triage")
    alice.picture("relay")
    alice.page.get_by_role("link", name="Home", exact=True).click()
    expect(alice.page.locator("#home")).to_contain_text(number)
    alice.picture("app-home")
    alice.page.go_back()

    card.get_by_role("button", name="Resolve").click()
    form = bob.page.get_by_role("dialog")
    form.get_by_role("textbox", name="Resolution").fill("The screen was replaced; the old one goes back to the maker.")
    form.get_by_role("button", name="Resolve").click()
    expect(form).to_have_count(0)
    expect(card).to_contain_text("resolved")
    expect(alice.thread).to_contain_text(f"Bob Brown has resolved {number}")
    alice.picture("resolved")
    alice.thread.get_by_role("button", name="5 of 5 stars").click()
    expect(alice.thread.get_by_role("button", name="5 of 5 stars")).to_have_count(0)
    alice.picture("rated")
    expect(card.get_by_role("button", name="Resolve")).to_have_count(0)
    bob.picture("triage-resolved")

    shown = desk.command("tickets", "show", number)
    assert (shown["state"], shown["assignee"]) == ("resolved", bob.id)
    assert [each["data"]["changes"] for each in shown["events"] if each["type"] == "rated"] == [{"rating": 5}]
    said = [(entry["kind"], entry["author"]) for entry in shown["worklog"]]
    assert said[:3] == [("reply", bob.id), ("reply", alice.id), ("note", bob.id)]
    assert "warranty" not in alice.thread.inner_text()


def approval_card(dana: Person, what: str) -> Locator:
    dana.page.get_by_role("link", name="Messages", exact=True).or_(
        dana.page.get_by_role("link", name="Deskmate", exact=True)
    ).first.click()
    return dana.page.locator("#feed article").filter(has_text=what).last


def test_a_group_is_asked_for_approved_given_and_taken_back_at_its_end(arrive: Arrive, desk: Desk) -> None:
    alice = arrive("Alice Adams")
    alice.ask("please add me to the design-tools group until tomorrow, because we relaunch the shop")
    asks = alice.thread.get_by_role("button", name="Ask for it")
    expect(asks).to_be_visible()
    asks.click()
    expect(alice.thread).to_contain_text("Waiting for the approval.")
    assert "design-tools" not in desk.groups("alice")

    dana = arrive("Dana Diaz")
    card = approval_card(dana, "Put Alice Adams into the group design-tools")
    expect(card).to_contain_text("we relaunch the shop")
    dana.picture("approval")
    card.get_by_role("button", name="Approve").click()
    expect(card).to_contain_text("You approved it.")
    expect(alice.thread).to_contain_text("Done: put you into the group design-tools")
    assert "design-tools" in desk.groups("alice")

    for _ in range(3):
        alice.page.get_by_role("button", name="Let a day pass").click()
        alice.page.wait_for_load_state()
    until(lambda: "design-tools" not in desk.groups("alice"))
    until(lambda: "Its time is over, so this was taken back" in json.dumps(desk.state()))


def test_killed_at_the_moment_of_the_approval_it_is_given_once(arrive: Arrive, desk: Desk) -> None:
    alice, dana = arrive("Alice Adams"), arrive("Dana Diaz")
    alice.ask("I need Adobe Illustrator, because I draw the catalogue")
    asks = alice.thread.get_by_role("button", name="Ask for it")
    expect(asks).to_be_visible()
    asks.click()
    expect(alice.thread).to_contain_text("Waiting for the approval.")
    approve = approval_card(dana, "Give Alice Adams Adobe Illustrator").get_by_role("button", name="Approve")
    expect(approve).to_be_visible()
    alice.page.context.close()
    with dana.page.expect_response(lambda response: response.request.method == "POST"):
        approve.click()
    dana.page.context.close()
    desk.kill()
    desk.start()
    desk.wait()

    until(lambda: "lic-illustrator" in desk.groups("alice"))
    until(lambda: "Done: give you Adobe Illustrator" in json.dumps(desk.state()))
    told = [line for line in texts(desk.state()) if line.startswith("Done: give you Adobe Illustrator")]
    assert len(told) == 1
    (ticket,) = [each for each in desk.command("tickets", "list") if "Illustrator" in each["title"]]
    assert (ticket["kind"], ticket["state"]) == ("service_request", "resolved")


def texts(state: dict[str, Any]) -> list[str]:
    return [str(message["text"]) for channel in state["messages"].values() for message in channel]


def until(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it didn't happen in time"
        time.sleep(0.2)


def test_ctrl_c_ends_it_with_nothing_to_complain_about(desk: Desk) -> None:
    assert desk.interrupt() == 0
    assert "Traceback" not in desk.log.read_text()
    assert desk.said.read_text() == f"Ready: {desk.page}\n"
