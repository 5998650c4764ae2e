import base64
import itertools
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from store import Database
from store.durable import Durable, DurableError, StepFailed


@pytest.fixture
def durable(database_url: str, tmp_path: Path) -> Iterator[Durable]:
    durable = Durable(database_url=database_url, home=tmp_path, executor_id="tester")
    yield durable
    durable.close()


def runtime_store(database_url: str, home: Path) -> Database:
    return Database.at(f"sqlite:///{home / 'durable.sqlite'}" if database_url.startswith("sqlite") else database_url)


def test_the_same_key_is_one_workflow_also_when_started_fifty_times_at_once(durable: Durable) -> None:
    runs: list[str] = []
    greet = durable.workflow("greet", lambda name: runs.append(name))
    durable.launch()

    with ThreadPoolExecutor(50) as threads:
        list(threads.map(lambda _: durable.start(greet, "Alice", key="T1:C1:1.1"), range(50)))
    durable.wait("T1:C1:1.1", 20)
    durable.enqueue(greet, "Alice", key="T1:C1:1.1", partition="C1")

    assert runs == ["Alice"]
    assert durable.status("T1:C1:1.1") == "SUCCESS"


def test_messages_of_one_conversation_are_handled_one_at_a_time_in_the_order_of_arrival(durable: Durable) -> None:
    log: list[str] = []

    def turn(number: int) -> None:
        log.append(f"begin {number}")
        time.sleep(0.01)
        log.append(f"end {number}")

    registered = durable.workflow("turn", turn)
    durable.launch()

    # Keys in falling order, so that an order by key would show.
    for number in range(12):
        durable.enqueue(registered, number, key=f"key {99 - number}", partition="thread")
    durable.wait("key 88", 30)

    assert log == [f"{what} {number}" for number in range(12) for what in ("begin", "end")]


def test_conversations_run_side_by_side(durable: Durable) -> None:
    together = threading.Barrier(3, timeout=20)

    def meet() -> None:
        together.wait()

    turn = durable.workflow("turn", meet)
    durable.launch()

    for name in ("a", "b", "c"):
        durable.enqueue(turn, key=name, partition=name)
    for name in ("a", "b", "c"):
        durable.wait(name, 30)

    assert [durable.status(name) for name in ("a", "b", "c")] == ["SUCCESS"] * 3


def test_a_workflow_that_raises_ends_and_the_next_in_its_conversation_goes_on(
    durable: Durable, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[int] = []

    def turn(number: int) -> None:
        if number == 1:
            raise LookupError("no such thing")
        done.append(number)

    registered = durable.workflow("turn", turn)
    durable.launch()
    durable.enqueue(registered, 1, key="one", partition="p")
    durable.enqueue(registered, 2, key="two", partition="p")
    durable.wait("two", 30)

    assert (durable.status("one"), done) == ("ERROR", [2])
    assert [record.levelname for record in caplog.records if "turn one failed" in record.getMessage()] == ["ERROR"]
    assert len(caplog.records) == 1


def test_a_step_retries_what_is_transient_and_nothing_else(durable: Durable) -> None:
    tries: list[str] = []
    seen: list[StepFailed] = []

    def flaky(what: str) -> str:
        tries.append(what)
        if what == "line" and tries.count("line") < 3:
            raise ConnectionError("line is down")
        if what == "wrong":
            raise ValueError("wrong for ever")
        if what == "dead":
            raise TimeoutError("dead for ever")
        return f"{what} done"

    def work() -> None:
        assert durable.step("line", flaky, "line", pause_seconds=0.01) == "line done"
        for what in ("wrong", "dead"):
            try:
                durable.step(what, flaky, what, retries=2, pause_seconds=0.01)
            except StepFailed as failed:
                seen.append(failed)

    registered = durable.workflow("work", work)
    durable.launch()
    durable.start(registered, key="k")
    durable.wait("k", 20)

    assert (durable.status("k"), tries) == ("SUCCESS", ["line"] * 3 + ["wrong"] + ["dead"] * 3)
    assert [(failed.kind, failed.message) for failed in seen] == [
        ("ValueError", "wrong for ever"),
        ("TimeoutError", "dead for ever"),
    ]


def test_an_approval_is_received_and_a_missing_one_is_none(durable: Durable) -> None:
    got: list[Any] = []

    def ask() -> None:
        got.append(durable.receive("approval", 20))
        got.append(durable.receive("approval", 0.05))
        durable.sleep(0.05)

    registered = durable.workflow("ask", ask)
    durable.launch()
    durable.start(registered, key="k")
    durable.send("k", "approval", {"by": "bob", "granted": True})
    durable.wait("k", 20)

    assert got == [{"by": "bob", "granted": True}, None]


@pytest.mark.parametrize("key", ["", "  ", "x" * 600])
def test_a_key_that_could_not_tell_workflows_apart_is_refused(durable: Durable, key: str) -> None:
    workflow = durable.workflow("w", lambda: None)
    durable.launch()

    with pytest.raises(DurableError):
        durable.start(workflow, key=key)
    with pytest.raises(DurableError):
        durable.enqueue(workflow, key=key, partition="p")
    with pytest.raises(DurableError):
        durable.enqueue(workflow, key="good", partition="")


def test_closing_leaves_what_waits_to_the_next_start_in_the_same_process(database_url: str, tmp_path: Path) -> None:
    log: list[str] = []

    def opened() -> tuple[Durable, Callable[[], None], Callable[[], None]]:
        durable = Durable(database_url=database_url, home=tmp_path, executor_id="tester")

        def approve() -> None:
            durable.step("asked", lambda: log.append("asked"))
            log.append(str(durable.receive("approval", 3 * 86400)))

        def nap() -> None:
            durable.sleep(3 * 86400)

        return durable, durable.workflow("approve", approve), durable.workflow("nap", nap)

    first, approve, nap = opened()
    first.launch()
    first.start(approve, key="a")
    first.start(nap, key="n")
    deadline = time.monotonic() + 20
    while not log and time.monotonic() < deadline:
        time.sleep(0.01)
    threads_before = [thread for thread in threading.enumerate() if "dbos-executor" in thread.name]
    assert threads_before
    began = time.monotonic()
    first.close(wait_seconds=5)
    assert time.monotonic() - began < 4
    for thread in threads_before:
        thread.join(5)
        assert not thread.is_alive()

    second, _, _ = opened()
    second.launch()
    assert second.pending(0) == ["a", "n"]
    assert second.pending(3600) == []
    second.send("a", "approval", "yes")
    second.wait("a", 20)
    second.close()

    assert log == ["asked", "yes"]
    third = Durable(database_url=database_url, home=tmp_path, executor_id="another")
    assert third.pending(0) == ["n"]
    third.close()


def test_only_one_runtime_is_open_in_a_process(durable: Durable, database_url: str, tmp_path: Path) -> None:
    with pytest.raises(DurableError):
        Durable(database_url=database_url, home=tmp_path, executor_id="second")


CHILD = textwrap.dedent(
    """
    import os, signal, sys, time
    from pathlib import Path
    from store.durable import Durable

    url, home, kill = sys.argv[1], Path(sys.argv[2]), sys.argv[3] == "kill"
    durable = Durable(database_url=url, home=home, executor_id="replica-1")

    def note(line):
        with open(home / "log", "a") as log:
            log.write(line + "\\n")
        return line

    def turn(name, pair):
        assert pair == (1, [2]), pair
        durable.step("first", note, f"first {name}")
        if kill and name == "one":
            os.kill(os.getpid(), signal.SIGKILL)
        durable.step("second", note, f"second {name}")

    turn = durable.workflow("turn", turn)
    durable.launch()
    if kill:
        durable.enqueue(turn, "one", (1, [2]), key="one", partition="p")
        durable.enqueue(turn, "two", (1, [2]), key="two", partition="p")
        time.sleep(30)
    durable.wait("two", 30)
    durable.close()
    """
)


def test_a_killed_process_goes_on_after_its_last_finished_step(database_url: str, tmp_path: Path) -> None:
    def run(mode: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", CHILD, database_url, str(tmp_path), mode]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)

    killed = run("kill")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (tmp_path / "log").read_text().splitlines() == ["first one"]

    resumed = run("resume")
    assert (resumed.returncode, resumed.stderr) == (0, "")
    assert (tmp_path / "log").read_text().splitlines() == ["first one", "second one", "first two", "second two"]


def test_nothing_is_stored_as_pickle(durable: Durable, database_url: str, tmp_path: Path) -> None:
    def work(pair: tuple[int, dict[str, str]]) -> None:
        durable.step("result", lambda: {"list": [1, 2.5, None]})
        durable.receive("topic", 10)
        durable.step("failure", int, "x")

    registered = durable.workflow("work", work)
    durable.launch()
    durable.start(registered, (1, {"$": "ä"}), key="k")
    durable.send("k", "topic", {"message": [1]})
    durable.wait("k", 20)

    store = runtime_store(database_url, tmp_path)
    schema = "" if database_url.startswith("sqlite") else "dbos."
    tables = ["workflow_status", "workflow_input", "workflow_output", "operation_outputs", "notifications"]
    with store.reading() as session:
        rows = [row for table in tables for row in session.execute(text(f"SELECT * FROM {schema}{table}"))]
        cells = [str(cell) for row in rows for cell in row]
    store.close()
    pickles = [base64.b64encode(bytes([0x80, version])).decode()[:3] for version in (2, 3, 4, 5)]
    assert [cell for cell in cells if cell.startswith(tuple(pickles)) or "gAS" in cell] == []
    assert any('{"list":[1,2.5,null]}' in cell for cell in cells)
    assert any('"kind":"ValueError"' in cell for cell in cells)


def test_a_result_that_is_not_json_fails_loudly(durable: Durable, caplog: pytest.LogCaptureFixture) -> None:
    def work() -> None:
        durable.step("bad", object)

    registered = durable.workflow("work", work)
    durable.launch()
    durable.start(registered, key="k")
    durable.wait("k", 20)

    assert durable.status("k") == "ERROR"
    assert "A durable value is JSON, not object." in caplog.text


@pytest.mark.postgres
def test_the_thread_that_hears_notifications_ends_though_another_socket_gets_its_descriptor(
    new_postgres_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Durable(database_url=new_postgres_database(), home=tmp_path, executor_id="tester")
    heard.launch()
    runtime = heard._dbos._sys_db
    clean_up = runtime._cleanup_connections
    with ExitStack() as stack:

        def and_take_the_descriptor() -> None:
            clean_up()
            for end in itertools.chain.from_iterable(socket.socketpair() for _ in range(3)):
                stack.enter_context(end)

        monkeypatch.setattr(runtime, "_cleanup_connections", and_take_the_descriptor)
        hearing = [each for each in threading.enumerate() if "run_notification_listener" in each.name]
        assert hearing
        heard.close()
        assert not any(each.is_alive() for each in hearing)
