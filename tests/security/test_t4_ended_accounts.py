"""T4: deactivated, reactivated, rehired, recycled. A binding follows the immutable id, never a name."""

import uuid

from bot.directory.records import DemoAccount
from bot.outcomes import Declined
from tests.reset.desk import ResetDesk


def test_t4_a_deactivated_slack_account_stays_unlinked_when_it_comes_back(desk: ResetDesk) -> None:
    assert desk.identify("U0ALICE").refusal is None
    desk.client.users["U0ALICE"]["deleted"] = True
    while_away = desk.ask("U0ALICE")
    desk.client.users["U0ALICE"]["deleted"] = False

    assert isinstance(while_away, Declined)
    assert isinstance(desk.ask("U0ALICE"), Declined)
    assert len(desk.alerts) == 1 or desk.identify("U0ALICE").refusal is not None


def test_t4_a_disabled_directory_account_gets_no_reset(desk: ResetDesk) -> None:
    desk.directory.disable(desk.person("alice").directory_id)

    assert isinstance(desk.ask("U0ALICE"), Declined)


def test_t4_an_account_disabled_while_the_page_is_open_gets_no_reset(desk: ResetDesk) -> None:
    path = desk.link(desk.linked("U0ALICE"))
    desk.directory.disable(desk.person("alice").directory_id)

    assert desk.submit(path)[0] == 403
    assert desk.directory.password_marker(desk.person("alice").directory_id) == "1"


def test_t4_a_new_account_under_the_old_name_isnt_the_old_ones(desk: ResetDesk) -> None:
    path = desk.link(desk.linked("U0ALICE"))
    with desk.database.transaction() as session:
        old = session.get_one(DemoAccount, desk.person("alice").directory_id)
        columns = {column.key: getattr(old, column.key) for column in DemoAccount.__table__.columns}
        session.delete(old)
        session.flush()
        session.add(DemoAccount(**columns | {"directory_id": str(uuid.uuid4())}))

    assert isinstance(desk.ask("U0ALICE"), Declined)
    assert desk.submit(path)[0] == 403 or desk.submit(path)[0] == 410
    assert desk.directory.password_marker(desk.person("alice").directory_id) == "1"


def test_t4_a_renamed_account_suspends_the_binding(desk: ResetDesk) -> None:
    with desk.database.transaction() as session:
        session.get_one(DemoAccount, desk.person("alice").directory_id).account = "alice.old"

    assert isinstance(desk.ask("U0ALICE"), Declined)
    with desk.database.transaction() as session:
        session.get_one(DemoAccount, desk.person("alice.old").directory_id).account = "alice"
    assert isinstance(desk.ask("U0ALICE"), Declined)
