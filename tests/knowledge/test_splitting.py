"""Several questions in one message are told from one trouble in several sentences."""

import pytest

from knowledge.splitting import LONGEST, questions_of


@pytest.mark.parametrize(
    ("message", "questions"),
    [
        (
            "How do I reset my password? And where do I find the VPN client?",
            ["How do I reset my password?", "Where do I find the VPN client?"],
        ),
        (
            "hi! how do i reset my password and where do i find the vpn client",
            ["How do i reset my password", "Where do i find the vpn client"],
        ),
        (
            "1. how do I connect to wifi\n2. where can I get a headset\n3. who approves software?",
            ["How do I connect to wifi", "Where can I get a headset", "Who approves software?"],
        ),
        (
            "how do I connect to the vpn, how do I add a printer, and who can order a monitor?",
            ["How do I connect to the vpn", "How do I add a printer", "Who can order a monitor?"],
        ),
        (
            "My printer is jammed. How do I clear it? Also how do I get a new badge?",
            ["My printer is jammed. How do I clear it?", "How do I get a new badge?"],
        ),
        (
            "how do I set up MFA on a new phone? I lost the old one. And what is the guest wifi password?",
            ["How do I set up MFA on a new phone? I lost the old one.", "What is the guest wifi password?"],
        ),
        (
            "vpn keeps dropping, tried rebooting, nothing. any ideas? also unrelated but can i get a second monitor?",
            ["Vpn keeps dropping, tried rebooting, nothing. any ideas?", "Can i get a second monitor?"],
        ),
        ("I need access to SAP. I also need a new laptop.", ["I need access to SAP.", "I also need a new laptop."]),
    ],
)
def test_questions_that_stand_by_themselves_are_told_apart_with_what_belongs_to_each(
    message: str, questions: list[str]
) -> None:
    assert questions_of(message) == questions


@pytest.mark.parametrize(
    "message",
    [
        "How do I reset my password?",
        "My laptop won't start. What should I do?",
        "Outlook says my mailbox is full. I deleted some mails yesterday but it still says so. How can I fix this?",
        "I cannot print. The printer is on. What does error 0x0000011b mean?",
        "I forgot my password. How do I reset it?",
        "What is the VPN and how do I install it?",
        "How do I install the printer on Windows? And on Mac?",
        "Why can't I log in to Outlook? Is my account locked?",
        "How do I connect to the VPN? How can I set up the VPN at home?",
        "Can I use my own phone for work mail, and is there a policy about that?",
        "How do I find out when my password expires and what happens then?",
        "I need to test our macro on a Mac. I have tried Parallels. Where do I start?",
        "When searching in Google Drive, can I look only in a specific folder?",
    ],
)
def test_one_trouble_in_several_sentences_stays_one(message: str) -> None:
    assert questions_of(message) == [message]


@pytest.mark.parametrize(
    "message",
    [
        "Hello, can you help me? I need a new mouse",
        "Good morning! How are you? How do I add a printer? Thanks a lot, Bob",
        "Thanks! How do I add a printer?",
        "Does anyone know? How do I add a printer?",
    ],
)
def test_greeting_and_thanks_are_no_questions(message: str) -> None:
    assert len(questions_of(message)) == 1


def test_a_long_description_stays_one_whatever_it_asks() -> None:
    told = "The till in the shop shows a grey screen. " * (LONGEST // 40)
    message = f"{told}How do I restart the till? Where do I find the spare receipt printer?"
    assert questions_of(message) == [message]
    assert len(questions_of(message[-80:])) == 2


@pytest.mark.parametrize("message", ["", " ", "???", "\n\n\n", "? ? ? ?", "how " * 200, "why?! " * 100, "." * 700])
def test_what_is_no_sentence_stays_as_it_is(message: str) -> None:
    assert questions_of(message) == [message]
