"""T8: links that are forwarded, unfurled, scanned, used twice, opened elsewhere, or too late."""

import secrets

import pyotp

from tests.reset.desk import NEW_PASSWORD, OLD_PASSWORD, SEED, ResetDesk


def test_t8_a_thousand_looks_consume_nothing(desk: ResetDesk) -> None:
    path = desk.link(desk.linked("U0ALICE"))
    rows = len(desk.audit())

    for _ in range(300):
        assert desk.web.get(path).status_code == 200
        assert desk.web.head(path).status_code == 200

    assert len(desk.audit()) == rows
    assert desk.submit(path)[0] == 200


def test_t8_a_link_works_once(desk: ResetDesk) -> None:
    path = desk.link(desk.linked("U0ALICE"))
    assert desk.submit(path)[0] == 200
    desk.clock.forward(seconds=60)

    status, said = desk.submit(path, new="another long password")

    assert status == 410
    assert "was used" in said
    assert "was used" in desk.web.get(path).text
    assert desk.password_is("alice", NEW_PASSWORD)


def test_t8_a_link_ends_after_ten_minutes(desk: ResetDesk) -> None:
    path = desk.link(desk.linked("U0ALICE"))
    desk.clock.forward(minutes=9, seconds=59)
    assert desk.web.get(path).status_code == 200
    desk.clock.forward(seconds=1)

    status, said = desk.submit(path)

    assert status == 410
    assert "time is over" in said
    assert desk.password_is("alice", OLD_PASSWORD)


def test_t8_a_stolen_link_is_worth_nothing_without_the_owners_second_factor(desk: ResetDesk) -> None:
    desk.add("mallory", "U0MALLORY", totp_secret="K" * 32)
    path = desk.link(desk.linked("U0ALICE"))

    mallorys = pyotp.TOTP("K" * 32).at(int(desk.clock().timestamp()))
    assert mallorys != pyotp.TOTP(SEED).at(int(desk.clock().timestamp()))

    for code in (mallorys, "000000", mallorys):
        desk.submit(path, code=code)

    assert desk.password_is("alice", OLD_PASSWORD)
    assert desk.password_is("mallory", OLD_PASSWORD)


def test_t8_ten_thousand_forged_links_open_nothing(desk: ResetDesk) -> None:
    path = desk.link(desk.linked("U0ALICE"))
    token = path.removeprefix("/once/")
    forged = [
        token[:-1] + ("0" if token[-1] != "0" else "1"),
        token.replace("reset", "notme"),
        token.upper(),
        token + "0",
    ]
    forged += [f"reset-{secrets.token_hex(32)}" for _ in range(10_000)]
    forged += [token[:38] + secrets.token_hex(16) for _ in range(1_000)]

    for attempt in forged:
        page = desk.reset.change.show(attempt)
        assert page.status == 404, attempt
    for attempt in forged[:50]:
        assert desk.web.get(f"/once/{attempt}").status_code == 404


def test_t8_somebody_elses_click_on_the_card_gives_no_link(desk: ResetDesk) -> None:
    request = desk.offered("U0ALICE")

    desk.click("U0ALICE", request, user={"id": "U0VICTOR", "team_id": "T0TEST"})

    assert desk.request(request).state == "offered"
    assert not any("/once/reset-" in text for text in desk.said())


def test_t8_a_forwarded_card_and_a_changed_value_have_no_effect(desk: ResetDesk) -> None:
    victors = desk.offered("U0VICTOR")
    alices = desk.offered("U0ALICE")

    desk.click("U0ALICE", alices, container={"type": "message", "channel_id": "C0OTHER", "message_ts": "9.9"})
    assert desk.request(alices).state == "offered"
    desk.click("U0ALICE", alices, actions=[{"action_id": "reset_continue", "value": victors, "action_ts": "77.7"}])
    desk.durable.wait(f"reset:{alices}:continue:77.7", 20)

    assert desk.request(victors).state == "offered"
    assert desk.request(alices).state == "linked"


def test_t8_the_page_tells_nobody_and_is_kept_nowhere(desk: ResetDesk) -> None:
    headers = desk.web.get(desk.link(desk.linked("U0ALICE"))).headers

    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert all(post["unfurl_links"] in (False, "0", 0) for post in desk.client.posts())


def test_t8_a_form_from_elsewhere_or_too_large_is_refused(desk: ResetDesk) -> None:
    path = desk.link(desk.linked("U0ALICE"))
    large = {"code": desk.code(), "new": "x" * 20_000, "again": "x" * 20_000}

    assert desk.web.post(path, json={"code": desk.code(), "new": NEW_PASSWORD}).status_code == 400
    assert desk.web.post(path, data=large).status_code == 400
    assert desk.submit(path)[0] == 200
