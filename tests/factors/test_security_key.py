"""Registering a security key, and resetting a password with it: what is taken and what is refused."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.directory.records import PersonRecord
from bot.factors.ceremonies import RelyingParty
from bot.factors.records import WebAuthnCredential, credentials_of
from bot.factors.webauthn import MOST_KEYS
from bot.outcomes import Declined, InProgress
from bot.routines.switches import switch_off
from bot.workflows import audit
from bot.workflows.records import KeyRequest
from tests.factors.authenticator import Authenticator, options_in
from tests.reset.desk import NEW_PASSWORD, OLD_PASSWORD, ResetDesk

HOLD = timedelta(hours=72)


def keys_of(desk: ResetDesk, account: str = "alice") -> list[WebAuthnCredential]:
    with desk.database.reading() as session:
        return list(credentials_of(session, account, desk.person(account).directory_id))


def proven(desk: ResetDesk, path: str, code: str | None = None) -> str:
    """The page that follows the proof, with what a key is made with."""
    response = desk.web.post(path, data={"code": desk.code() if code is None else code, "name": "blue key"})
    assert response.status_code == 200, response.text
    return response.text


def enrolled(desk: ResetDesk, key: Authenticator | None = None, user: str = "U0ALICE") -> Authenticator:
    """A key that is registered; the hold has begun."""
    key = key or Authenticator()
    request = desk.key_requested(user)
    path = desk.link(request, "key")
    response = desk.web.post(path, data={"attestation": key.creates(options_in(proven(desk, path)))})
    assert response.status_code == 200, response.text
    desk.durable.wait(f"key:{request}:registered", 40)
    return key


def usable(desk: ResetDesk, key: Authenticator | None = None) -> Authenticator:
    """A key that may be used."""
    key = enrolled(desk, key)
    desk.clock.forward(hours=72)
    return key


def reset_by(desk: ResetDesk, path: str, assertion: str, new: str = NEW_PASSWORD) -> tuple[int, str]:
    response = desk.web.post(path, data={"code": "", "new": new, "again": new, "assertion": assertion})
    return response.status_code, response.text


def page_of(desk: ResetDesk) -> str:
    return desk.link(desk.linked("U0ALICE"))


def test_a_key_is_registered_by_who_proves_the_account_and_everybody_concerned_is_told(desk: ResetDesk) -> None:
    enrolled(desk)

    (key,) = keys_of(desk)
    assert (key.account, key.name, key.last_used_at) == ("alice", "blue key", None)
    assert any("blue key" in text for text in desk.said())
    for address in ("alice@harbour.example", "alice@home.example"):
        assert [text.count("/once/notmykey-") for text in desk.mailbox.texts(address)] == [1, 1], address
    assert len(desk.mailbox.texts("victor@harbour.example")) == 2
    told = [(row.workflow, row.event, row.decision) for row in desk.audit()]
    assert told[-2:] == [("security_key", "prove_by_code", "allowed"), ("security_key", "register", "done")]
    with desk.database.reading() as session:
        assert audit.first_broken(session) is None
        assert session.get_one(PersonRecord, "alice").recovery_changed_at == desk.clock()


def test_for_72_hours_after_a_key_was_registered_no_password_is_reset(desk: ResetDesk) -> None:
    enrolled(desk)
    desk.clock.forward(hours=71, minutes=59)
    assert isinstance(desk.ask("U0ALICE"), Declined)
    desk.clock.forward(minutes=1)

    assert "Use your security key" in desk.web.get(page_of(desk)).text


def test_a_password_is_reset_by_a_key_in_the_place_of_a_code(desk: ResetDesk) -> None:
    key = usable(desk)
    request = desk.linked("U0ALICE")
    page = desk.web.get(desk.link(request))
    assert "script-src 'self'" in page.headers["content-security-policy"]
    for words in ("Authenticator code", "New password", "Repeat new password", "Change password"):
        assert words in page.text

    status, said = reset_by(desk, desk.link(request), key.proves(options_in(page.text)))
    desk.finished(request)

    assert status == 200, said
    assert desk.password_is("alice", NEW_PASSWORD)
    assert keys_of(desk)[0].last_used_at == desk.clock()
    assert "change_by_key" in [row.event for row in desk.audit()]


def test_a_page_without_a_usable_key_has_no_script(desk: ResetDesk) -> None:
    page = desk.web.get(page_of(desk))

    assert "script" not in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert "Use your security key" not in page.text


def test_a_key_that_is_no_key_of_the_account_is_refused_and_counted_with_wrong_codes(desk: ResetDesk) -> None:
    usable(desk)
    path = page_of(desk)

    assert "2 tries left" in reset_by(desk, path, Authenticator().proves(options_in(desk.web.get(path).text)))[1]
    wrong = str((int(desk.code()) + 1) % 1_000_000).zfill(6)
    assert "one try left" in desk.submit(path, code=wrong)[1]
    assert "Too many wrong" in reset_by(desk, path, "nonsense")[1]
    desk.clock.forward(hours=23, minutes=59)
    assert isinstance(desk.ask("U0ALICE"), Declined)

    assert desk.password_is("alice", OLD_PASSWORD)
    assert [reason for reason in desk.reasons() if "_" in reason][-3:] == ["wrong_key", "wrong_code", "locked_key"]


@pytest.mark.parametrize(
    "changed",
    [{"verified": False}, {"origin": "https://desk.example.evil"}, {"rp_id": "evil.example"}, {"count": -1}],
    ids=["without PIN or finger", "from another page", "for another name", "with a count that went back"],
)
def test_an_answer_that_is_not_what_was_asked_for_is_refused(desk: ResetDesk, changed: dict[str, object]) -> None:
    key = usable(desk, Authenticator(count=5))
    path = page_of(desk)
    if "count" in changed:
        changed = {"count": 2}

    other = replace(key, **changed)  # type: ignore[arg-type]  # of each case one field, with its own type
    status, said = reset_by(desk, path, other.proves(options_in(desk.web.get(path).text)))

    assert (status, "2 tries left" in said) == (422, True)
    assert desk.password_is("alice", OLD_PASSWORD)


def test_a_signature_by_another_private_key_is_refused(desk: ResetDesk) -> None:
    key = usable(desk)
    path = page_of(desk)

    status, _ = reset_by(
        desk, path, Authenticator(credential=key.credential).proves(options_in(desk.web.get(path).text))
    )

    assert status == 422


def test_an_answer_is_looked_at_once_even_if_nothing_came_of_it(desk: ResetDesk) -> None:
    key = usable(desk)
    path = page_of(desk)
    assertion = key.proves(options_in(desk.web.get(path).text))

    assert "at least 12" in reset_by(desk, path, assertion, new="too short")[1]
    assert "That answer was used already" in reset_by(desk, path, assertion)[1]
    assert desk.password_is("alice", OLD_PASSWORD)
    assert reset_by(desk, path, key.proves(options_in(desk.web.get(path).text)))[0] == 200


def test_an_answer_for_one_request_is_worth_nothing_for_the_next(desk: ResetDesk) -> None:
    key = usable(desk)
    first = page_of(desk)
    assertion = key.proves(options_in(desk.web.get(first).text))
    second = page_of(desk)

    assert reset_by(desk, first, assertion)[0] == 410
    assert reset_by(desk, second, assertion)[0] == 422
    assert desk.password_is("alice", OLD_PASSWORD)


def test_two_submissions_of_one_answer_change_the_password_once(desk: ResetDesk) -> None:
    from concurrent.futures import ThreadPoolExecutor

    key = usable(desk)
    path = page_of(desk)
    assertion = key.proves(options_in(desk.web.get(path).text))
    with ThreadPoolExecutor(5) as threads:
        statuses = list(
            threads.map(lambda number: reset_by(desk, path, assertion, f"{NEW_PASSWORD} {number}")[0], range(5))
        )

    assert statuses.count(200) == 1
    assert not any("_key" in reason for reason in desk.reasons())


def test_another_accounts_key_and_a_key_of_an_earlier_account_of_that_name_are_nobodys(desk: ResetDesk) -> None:
    key = usable(desk)
    with desk.database.transaction() as session:
        session.get_one(WebAuthnCredential, keys_of(desk)[0].id).directory_id = "another"

    page = desk.web.get(page_of(desk)).text
    assert "Use your security key" not in page
    assert key.count == 0


def test_looking_at_a_page_changes_no_challenge(desk: ResetDesk) -> None:
    usable(desk)
    path = page_of(desk)

    challenges = {options_in(desk.web.get(path).text)["challenge"] for _ in range(20)}

    assert len(challenges) == 1


def test_what_a_key_is_made_with_is_shown_to_nobody_but_who_gave_the_proof(desk: ResetDesk) -> None:
    path = desk.link(desk.key_requested("U0ALICE"), "key")
    page = desk.web.get(path).text
    assert "Authenticator code" in page
    assert "data-options" not in page
    options = options_in(proven(desk, path))

    for thief in (desk.web.get(path), desk.web.post(path, data={"code": desk.code()})):
        assert thief.status_code == 409
        assert options["challenge"] not in thief.text
    assert desk.web.post(path, data={"attestation": Authenticator().creates({"challenge": "AAAA"})}).status_code == 422
    assert keys_of(desk) == []


def test_a_wrong_code_registers_nothing_and_locks_like_any_other(desk: ResetDesk) -> None:
    path = desk.link(desk.key_requested("U0ALICE"), "key")
    wrong = str((int(desk.code()) + 1) % 1_000_000).zfill(6)

    assert "six digits" in desk.web.post(path, data={"code": "123"}).text
    assert "2 tries left" in desk.web.post(path, data={"code": wrong}).text
    desk.submit(desk.link(desk.linked("U0ALICE")), code=wrong)
    assert "Too many wrong codes" in desk.web.post(path, data={"code": wrong}).text
    assert isinstance(desk.wants_a_key("U0ALICE"), Declined)


def test_a_key_without_user_verification_is_not_registered_but_another_may_be(desk: ResetDesk) -> None:
    path = desk.link(desk.key_requested("U0ALICE"), "key")
    options = options_in(proven(desk, path))
    assert options["authenticatorSelection"]["userVerification"] == "required"

    refused = desk.web.post(path, data={"attestation": Authenticator(verified=False).creates(options)})
    replayed = desk.web.post(path, data={"attestation": Authenticator().creates(options)})
    taken = desk.web.post(path, data={"attestation": Authenticator().creates(options_in(replayed.text))})

    assert [each.status_code for each in (refused, replayed, taken)] == [422, 422, 200]
    assert len(keys_of(desk)) == 1


def test_a_key_is_registered_once_for_one_person(desk: ResetDesk) -> None:
    key = enrolled(desk)
    desk.clock.forward(minutes=1)
    path = desk.link(desk.key_requested("U0VICTOR"), "key")

    status = desk.web.post(path, data={"attestation": key.creates(options_in(proven(desk, path)))}).status_code

    assert status == 422
    assert keys_of(desk, "victor") == []


def test_a_second_key_may_be_registered_at_once_and_is_told_the_first(desk: ResetDesk) -> None:
    first = enrolled(desk)
    desk.clock.forward(minutes=1)
    path = desk.link(desk.key_requested("U0ALICE"), "key")
    options = options_in(proven(desk, path))

    assert [json.loads(first.proves(options))["id"]] == [each["id"] for each in options["excludeCredentials"]]
    assert desk.web.post(path, data={"attestation": Authenticator().creates(options)}).status_code == 200


def test_an_eleventh_key_is_refused(desk: ResetDesk) -> None:
    enrolled(desk)
    with desk.database.transaction() as session:
        (kept,) = credentials_of(session, "alice", desk.person("alice").directory_id)
        for number in range(MOST_KEYS - 1):
            more = {"credential_id": f"more{number}", "request": f"more{number}"}
            fields = {column.key: getattr(kept, column.key) for column in WebAuthnCredential.__table__.columns}
            session.add(WebAuthnCredential(**(fields | more | {"id": None})))

    outcome = desk.wants_a_key("U0ALICE")

    assert isinstance(outcome, Declined)
    assert desk.reasons()[-1] == "keys"


def test_a_link_ends_after_ten_minutes_and_works_once(desk: ResetDesk) -> None:
    first = desk.link(desk.key_requested("U0ALICE"), "key")
    second = desk.link(desk.key_requested("U0ALICE"), "key")
    assert desk.web.get(first).status_code == 410
    page = proven(desk, second)
    desk.clock.forward(minutes=10)

    late = desk.web.post(second, data={"attestation": Authenticator().creates(options_in(page))})

    assert (late.status_code, keys_of(desk)) == (410, [])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"privileged": True}, "privileged"), ({"emails": ()}, "addresses"), ({"totp_secret": None}, "factor")],
)
def test_who_has_no_reset_registers_no_key(desk: ResetDesk, fields: dict[str, object], reason: str) -> None:
    desk.add("dora", "U0DORA", **fields)

    assert isinstance(desk.wants_a_key("U0DORA"), Declined)
    assert desk.reasons()[-1] == reason


def test_pressing_not_me_removes_the_key_and_disables_the_account(desk: ResetDesk) -> None:
    enrolled(desk)
    with desk.database.reading() as session:
        (request,) = session.query(KeyRequest).all()
    link = next(text for text in desk.mailbox.texts() if "/once/notmykey-" in text).split("desk.example")[1].split()[0]

    assert "security key" in desk.web.get(link).text
    assert len(keys_of(desk)) == 1
    assert "being disabled" in desk.web.post(link, data={"sure": "yes"}).text
    assert keys_of(desk) == []
    desk.durable.wait(f"key:{request.id}:notme", 40)

    assert not desk.person("alice").enabled
    with desk.database.reading() as session:
        kept = session.get_one(KeyRequest, request.id)
        assert (kept.state, kept.incident is not None) == ("removed", True)
    assert any(str(kept.incident) in text for _, text in desk.alerts)


def test_a_registration_whose_process_died_before_it_told_of_it_is_told_of_at_the_next_start(
    desk: ResetDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = desk.key_requested("U0ALICE")
    path = desk.link(request, "key")
    options = options_in(proven(desk, path))
    with monkeypatch.context() as dying:
        dying.setattr(desk.durable, "start", lambda *arguments, **named: None)
        desk.web.post(path, data={"attestation": Authenticator().creates(options)})
    assert not any("is registered" in text for text in desk.said())

    desk.keys.resume()
    desk.durable.wait(f"key:{request}:registered", 40)

    assert any("is registered" in text for text in desk.said())


def test_a_name_with_marks_and_lines_stays_one_line_of_text(desk: ResetDesk) -> None:
    path = desk.link(request := desk.key_requested("U0ALICE"), "key")
    page = desk.web.post(path, data={"code": desk.code(), "name": "<!channel>\r\nBcc: x@y.example\x00" + "z" * 99}).text
    desk.web.post(path, data={"attestation": Authenticator().creates(options_in(page))})
    desk.durable.wait(f"key:{request}:registered", 40)

    (key,) = keys_of(desk)
    assert key.name.startswith("<!channel> Bcc: x@y.example z")
    assert len(key.name) <= 64
    assert not any("<!channel>" in text for text in desk.said())


def test_where_browsers_use_no_security_keys_none_is_offered() -> None:
    assert RelyingParty.at("https://desk.example/") == RelyingParty("desk.example", "https://desk.example")
    assert RelyingParty.at("https://Desk.example:8443/it") == RelyingParty("desk.example", "https://desk.example:8443")
    assert RelyingParty.at("https://desk.example:443/") == RelyingParty("desk.example", "https://desk.example")
    assert RelyingParty.at("http://localhost:3000/") == RelyingParty("localhost", "http://localhost:3000")
    for address in (
        "http://desk.example/",
        "http://127.0.0.1:3000/",
        "https://10.0.0.5/",
        "https://[::1]/",
        "nonsense",
    ):
        assert RelyingParty.at(address) is None, address


def test_the_wish_is_answered_with_a_link_that_only_the_direct_messages_have(desk: ResetDesk) -> None:
    outcome = desk.wants_a_key("U0ALICE")

    assert isinstance(outcome, InProgress)
    assert "/once/" not in outcome.text
    assert [post["channel"] for post in desk.client.posts() if "/once/key-" in str(post["text"])] == ["DU0ALICE"]


def test_a_switch_that_is_thrown_after_the_proof_keeps_the_key_out(desk: ResetDesk) -> None:
    path = desk.link(desk.key_requested("U0ALICE"), "key")
    options = options_in(proven(desk, path))
    with desk.database.transaction() as session:
        switch_off(session, "workflow:security_key", by="bob", reason="a look at it", now=desk.clock())

    answer = desk.web.post(path, data={"attestation": Authenticator().creates(options)})

    assert (answer.status_code, keys_of(desk)) == (403, [])
    assert desk.reasons()[-1] == "switch"
