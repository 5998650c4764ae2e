"""What a request says already is taken from it, and what it leaves open isn't guessed."""

from datetime import date, timedelta

import pytest

from bot.values import Kind, Wanted, choice, reason, values_given

TODAY = date(2026, 11, 25)  # a Wednesday
GROUPS = ("design-tools", "Finance Readers", "finance", "vpn-users", "team1", "team2", "SAP", "Figma Editor")
UNTIL = (Wanted("until", Kind.UNTIL),)
FROM = (Wanted("day", Kind.DAY),)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("until Friday", date(2026, 11, 27)),
        ("add me to the design-tools group until Friday", date(2026, 11, 27)),
        ("till fri pls", date(2026, 11, 27)),
        ("until Wednesday", None),  # today, or in a week
        ("until next Monday", date(2026, 11, 30)),
        ("until next Friday", None),  # in two days, or in nine
        ("until this Friday", date(2026, 11, 27)),
        ("until this Monday", None),  # it's over
        ("till 3 March", date(2027, 3, 3)),
        ("til the 3rd of March please", date(2027, 3, 3)),
        ("until March 3rd, 2027", date(2027, 3, 3)),
        ("until Dec 5", date(2026, 12, 5)),
        ("until May 3", date(2027, 5, 3)),
        ("through december 24th", date(2026, 12, 24)),
        ("until 3 March 2026", None),
        ("until 29 February", date(2028, 2, 29)),
        ("until 31 November", None),
        ("for two weeks", date(2026, 12, 9)),
        ("access to SAP for the next 10 days", date(2026, 12, 5)),
        ("for a month", date(2026, 12, 25)),
        ("for 3 months because of the audit", date(2027, 2, 25)),
        ("for a couple of days", date(2026, 11, 27)),
        ("for another week", date(2026, 12, 2)),
        ("for 900 years", None),
        ("until 31.12.", date(2026, 12, 31)),
        ("until 31.12", date(2026, 12, 31)),
        ("design-tools, 31.12.", date(2026, 12, 31)),
        ("bis 31.12.2026", date(2026, 12, 31)),
        ("until 1.2.27", date(2027, 2, 1)),
        ("until 24.11.2026", None),
        ("until 2026-12-01", date(2026, 12, 1)),
        ("2026-12-01", date(2026, 12, 1)),
        ("until 2026-11-24", None),
        ("until 2026-13-01", None),
        ("until 31/12", date(2026, 12, 31)),
        ("until 12/31/2026", date(2026, 12, 31)),
        ("until 3/4", None),
        ("until 4/4", date(2027, 4, 4)),
        ("until tomorrow", date(2026, 11, 26)),
        ("until the day after tomorrow", date(2026, 11, 27)),
        ("just until tonight", date(2026, 11, 25)),
        ("tomorrow", date(2026, 11, 26)),
        ("two weeks", date(2026, 12, 9)),
        ("until the end of the month", date(2026, 11, 30)),
        ("until end of next month", date(2026, 12, 31)),
        ("until end of January", date(2027, 1, 31)),
        ("until the end of the quarter", date(2026, 12, 31)),
        ("until the end of the year", date(2026, 12, 31)),
        ("until the end of the week", None),
        ("until the 15th", date(2026, 12, 15)),
        ("until the 30th", date(2026, 11, 30)),
        ("until next week", None),
        ("until March", None),
        ("from 1 December to 5 December", date(2026, 12, 5)),
        ("from tomorrow until Friday", date(2026, 11, 27)),
        ("until Friday or until 5 December", None),
        ("give me access tomorrow", None),  # that's when it begins
        ("I need it by Friday", None),
        ("I have waited since Monday", None),
        ("I asked two weeks ago", None),
        ("the laptop is three years old", None),
        ("you may 3 times try", None),
        ("we use version 10.12 of it", None),
        ("error 2026-12-01-77", None),
        ("192.168.1.12", None),
        ("march on", None),
        ("", None),
    ],
)
def test_the_last_day(text: str, day: date | None) -> None:
    assert values_given(text, UNTIL, today=TODAY).get("until") == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("a laptop for the new colleague by 1 December", date(2026, 12, 1)),
        ("she starts on Monday", date(2026, 11, 30)),
        ("from tomorrow until Friday", date(2026, 11, 26)),
        ("give me access tomorrow", date(2026, 11, 26)),
        ("starting 2026-12-01", date(2026, 12, 1)),
        ("in two weeks", date(2026, 12, 9)),
        ("next Monday", date(2026, 11, 30)),
        ("on Friday or on Monday", None),
        ("until Friday", None),
        ("next month", None),
    ],
)
def test_the_first_day(text: str, day: date | None) -> None:
    assert values_given(text, FROM, today=TODAY).get("day") == day


@pytest.mark.parametrize(
    "text", ["until Friday", "until 29 February", "for a month", "till the 31st", "until end of May"]
)
def test_no_day_is_ever_past(text: str) -> None:
    for ahead in range(1500):
        today = TODAY + timedelta(ahead)
        day = values_given(text, UNTIL, today=today).get("until")
        assert day is None or (isinstance(day, date) and day >= today)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("add me to the design-tools group until Friday", "design-tools"),
        ("add me to Design Tools", "design-tools"),
        ("need DESIGN_TOOLS", "design-tools"),
        ("need designtools pls", "design-tools"),
        ("put me in desing-tools", "design-tools"),
        ("put me in dsign tools", "design-tools"),
        ("put me in design-toools", "design-tools"),
        ("put me in dezing-toolz", None),
        ("the finance readers group", "Finance Readers"),  # not finance, which is a part of it
        ("the finance group", "finance"),
        ("finance readers and finance", None),
        ("the finanse group", "finance"),
        ("team2 please", "team2"),
        ("team3 please", None),  # figures don't slip
        ("team1 or team2", None),
        ("SPA please", None),  # too short to have slipped
        ("sap", "SAP"),
        ("a sapphire", None),
        ("design-tools and vpn users", None),
        ("figma editr licence", "Figma Editor"),
        ("add me to a group", None),
        ("", None),
    ],
)
def test_a_choice(text: str, name: str | None) -> None:
    assert choice(text, GROUPS) == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I need it because I work on the catalogue. Thanks!", "I work on the catalogue"),
        ("bc we migrate to SAP 4.5 tomorrow", "we migrate to SAP 4.5 tomorrow"),
        ("Reason: new in the sales team", "new in the sales team"),
        ("since I joined the data team", "I joined the data team"),
        ("broken since Monday", None),
        ("because yes", None),  # one word explains nothing
        ("for the spring catalogue project until Friday", "for the spring catalogue project"),
        ("add me for our audit", "for our audit"),
        ("for the launch of Oslo until May", "for the launch of Oslo"),
        ("for two weeks", None),
        ("for me", None),
        ("as soon as possible", None),
        ("", None),
    ],
)
def test_a_reason(text: str, said: str | None) -> None:
    assert reason(text) == said


def test_a_message_fills_what_it_says_and_nothing_else() -> None:
    wanted = (
        Wanted("group", Kind.CHOICE, GROUPS),
        Wanted("until", Kind.UNTIL),
        Wanted("reason", Kind.REASON),
        Wanted("start", Kind.DAY),
    )
    text = "Can you add me to the design-tools group until Friday? I need it because we relaunch the shop."

    assert values_given(text, wanted, today=TODAY) == {
        "group": "design-tools",
        "until": date(2026, 11, 27),
        "reason": "we relaunch the shop",
    }
    assert values_given("add me to a group", wanted, today=TODAY) == {}
