"""T2: a Slack address changed to the victim's. The binding is suspended, its owner and the agents are told."""

from bot.outcomes import Declined
from tests.reset.desk import ResetDesk


def test_t2_a_changed_address_suspends_the_binding_and_tells_of_it(desk: ResetDesk) -> None:
    assert desk.identify("U0ALICE").refusal is None
    desk.client.users["U0ALICE"]["profile"]["email"] = "somebody@else.example"

    desk.people.slack_user_changed("T0TEST", "U0ALICE")
    since = desk.clock().isoformat()

    assert isinstance(desk.ask("U0ALICE"), Declined)
    desk.durable.wait(f"suspended:1:{since}", 20)
    assert len(desk.mailbox.texts("alice@harbour.example")) == len(desk.mailbox.texts("alice@home.example")) == 1
    assert len(desk.alerts) == 1
    assert "alice" in desk.alerts[0][1]


def test_t2_the_victims_address_gives_nothing_even_at_first_sight_and_changing_back_doesnt_help(
    desk: ResetDesk,
) -> None:
    desk.client.users["U0ALICE"]["profile"]["email"] = "Victor@Harbour.example"
    first = desk.ask("U0ALICE")
    desk.client.users["U0ALICE"]["profile"]["email"] = "alice@harbour.example"
    second = desk.ask("U0ALICE")

    assert isinstance(first, Declined)
    assert isinstance(second, Declined)
    assert desk.identify("U0ALICE").groups == frozenset()


def test_t2_an_address_changed_between_card_and_page_stops_the_change(desk: ResetDesk) -> None:
    path = desk.link(desk.linked("U0ALICE"))
    desk.client.users["U0ALICE"]["profile"]["email"] = "victor@harbour.example"

    status, _ = desk.submit(path)

    assert status == 403
    assert desk.directory.password_marker(desk.person("alice").directory_id) == "1"
