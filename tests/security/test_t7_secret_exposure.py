"""T7: a canary password is in nothing that is stored, logged, posted or mailed, in no encoding."""

import base64
import json
import logging
import pickle
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from sqlalchemy import MetaData, select

from store import Database
from tests.reset.desk import ResetDesk, durable_store

CANARY = "cänary+Pass/word=7 & more"
REFUSED = "refused+Cänary/word=8 & more"
TAKEN_BACK = "unequal+Cänary/word=9 & more"


def encodings(secret: str) -> set[bytes]:
    """The forms in which a secret may lie about; Base64 at each of its three alignments."""
    forms = {secret.encode(), secret.encode("utf-16-le"), secret.encode("utf-16-be"), pickle.dumps(secret)}
    forms |= {quote(secret).encode(), quote_plus(secret).encode(), json.dumps(secret)[1:-1].encode()}
    for form in (secret.encode(), secret.encode("utf-16-le"), pickle.dumps(secret)):
        for shift in range(3):
            whole = base64.b64encode(b"\0" * shift + form)
            forms.add(whole[4:-4] if shift else whole[:-4])
            forms.add(base64.urlsafe_b64encode(b"\0" * shift + form)[4:-4])
    return forms | {form.hex().encode() for form in list(forms)[:3]}


def everything_in(database: Database) -> bytes:
    """Every value of every table, as text and as bytes."""
    dump = bytearray()
    with database.engine.connect() as connection:
        for schema in (None, "dbos") if connection.dialect.name == "postgresql" else (None,):
            tables = MetaData()
            tables.reflect(connection, schema=schema)
            for table in tables.tables.values():
                for row in connection.execute(select(table)):
                    for value in row:
                        dump += value if isinstance(value, bytes) else str(value).encode()
                        dump += b"\n"
    return bytes(dump)


def test_the_search_finds_a_password_that_lies_about(desk: ResetDesk) -> None:
    hidden = [CANARY, base64.b64encode(pickle.dumps({"x": CANARY})).decode(), quote(CANARY)]
    for text in hidden:
        assert any(form in text.encode() for form in encodings(CANARY)), text


def test_t7_a_new_password_is_nowhere_but_in_the_directory_and_there_only_hashed(
    desk: ResetDesk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    request = desk.linked("U0ALICE")
    path = desk.link(request)
    desk.submit(path, new=TAKEN_BACK, again=CANARY)
    desk.submit(path, new=CANARY + "alice", again=CANARY + "alice")
    desk.submit(path, code="000000", new=REFUSED)
    status, said = desk.submit(path, new=CANARY)
    desk.finished(request)
    desk.durable.wait(f"reset:{request}:requested", 20)

    assert status == 200, said
    assert desk.password_is("alice", CANARY)
    places = {
        "database": everything_in(desk.database),
        "durable": everything_in(durable_store(desk.database, tmp_path)),
        "files": b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()),
        "logs": "\n".join(
            f"{record.getMessage()} {record.args} {record.exc_text} {record.__dict__}" for record in caplog.records
        ).encode(),
        "slack": json.dumps(desk.client.calls, default=str, ensure_ascii=False).encode(),
        "mails": b"".join(content for _, content in desk.mailbox.received) + "".join(desk.mailbox.texts()).encode(),
        "pages": said.encode() + desk.web.get(path).content,
    }
    assert all(content for place, content in places.items() if place != "files"), "a place wasn't searched"
    for secret in (CANARY, REFUSED, TAKEN_BACK):
        for place, content in places.items():
            for form in encodings(secret):
                assert form not in content, f"a password is in {place}"


def test_t7_a_crash_of_ours_logs_no_password(
    desk: ResetDesk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = desk.link(desk.linked("U0ALICE"))

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(desk.directory, "set_password", broken)
    with pytest.raises(RuntimeError):
        desk.submit(path, new=CANARY)

    assert CANARY not in caplog.text
