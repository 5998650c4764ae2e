"""What of a message is the question."""

import pytest

from knowledge.noise import without_noise


@pytest.mark.parametrize(
    ("message", "question"),
    [
        ("Hi team, my VPN drops every hour", "my VPN drops every hour"),
        ("Good morning!\nHow do I add a printer?\n\nThanks in advance", "How do I add a printer?"),
        ("hello there can somebody help me please? outlook is frozen", "outlook is frozen"),
        (
            "Dear IT support,\nthe beamer is dark.\n\nBest regards,\nAlice Adams\nLegal, floor 3\n+49 30 1234",
            "the beamer is dark.",
        ),
        ("quick question: where is the guest wifi code", "where is the guest wifi code"),
        ("I hope you are well. The scanner jams. Any help would be greatly appreciated!", "The scanner jams."),
        ("no sound in Teams\n\nSent from my iPhone", "no sound in Teams"),
    ],
)
def test_courtesy_is_not_part_of_the_question(message: str, question: str) -> None:
    assert without_noise(message) == question


@pytest.mark.parametrize(
    "message",
    [
        "What can they do with a shared mailbox?",
        "How do I say thanks to a colleague in Viva?",
        "The greeting of my voicemail is wrong",
        "Where is the Hello for Business setting?",
        "How do I turn off the out of office reply 'best regards'",
        "hi",
        "thanks!",
        "Hello everyone, thank you so much!",
    ],
)
def test_words_that_only_look_like_courtesy_stay_and_so_does_a_message_of_nothing_else(message: str) -> None:
    assert without_noise(message) == message


def test_of_a_pasted_log_only_what_went_wrong_is_kept() -> None:
    log = "\n".join(
        [
            "2026-03-02 10:11:01 INFO starting",
            "2026-03-02 10:11:02 INFO reading profile",
            "2026-03-02 10:11:03 ERROR 0x8007007A: the data area is too small",
            "2026-03-02 10:11:03 INFO retry",
            "2026-03-02 10:11:03 ERROR 0x8007007A: the data area is too small",
        ]
    )
    text = without_noise(f"My sync stops.\n{log}\nWhat now?")

    assert text.split("\n") == [
        "My sync stops.",
        "2026-03-02 10:11:03 ERROR 0x8007007A: the data area is too small",
        "What now?",
    ]


def test_a_line_or_two_that_look_like_a_log_are_a_quotation() -> None:
    message = "it says\n10:11:03 connection refused\nwhat now?"
    assert without_noise(message) == message


@pytest.mark.timeout(20)
@pytest.mark.parametrize("run", ["\n", " ", "\t\n", "hi ", "\n--", "thanks ", "hope you ", "0a "])
def test_no_message_keeps_the_desk_busy_for_minutes(run: str) -> None:
    assert without_noise("printer" + run * 12_000 + "jams").endswith("jams")
