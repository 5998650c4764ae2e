"""The durable runtime: workflows that survive the process, on DBOS, in the relational store that we have anyway.

dbos is imported when a runtime is opened: whatever only names it (`deskmate ask`) would wait half a second for it.
"""

import contextvars
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, ParamSpec, TypeAlias, TypeVar, TypeVarTuple

from sqlalchemy import bindparam, inspect, text
from sqlalchemy.exc import OperationalError

from store.durable_engine import Gate, Stopping, engine_of_the_runtime
from store.durable_json import StepFailed

__all__ = ["JSON", "TRANSIENT", "Durable", "DurableError", "StepFailed", "Stopping"]

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# Mypy has no recursive alias that accepts `dict[str, str]` where `dict[str, JSON]` is asked; the serialiser checks.
JSON: TypeAlias = Any

QUEUE = "conversations"
UNFINISHED = ("PENDING", "ENQUEUED", "DELAYED")
POLLING_SECONDS = 0.05
TRANSIENT: tuple[type[Exception], ...] = (OSError, OperationalError)
LONGEST_KEY = 512

log = logging.getLogger(__name__)


class DurableError(Exception):
    """The durable runtime was asked for something that it can't do."""


class Durable:
    """Runs workflows to their end, over any number of restarts.

    Register all workflows with `workflow`, then `launch`; unfinished workflows of the same `executor_id` and
    `version` go on from their last finished step. Only one may be open in a process (DBOS keeps one of each kind).
    A workflow's body must be deterministic: whatever touches the world or reads a clock goes into a `step`.
    Arguments, messages and results of steps are stored as JSON, so no secret may ever be one.
    """

    _open: ClassVar["Durable | None"] = None

    def __init__(
        self, *, database_url: str, home: Path, executor_id: str, version: str = "1", concurrency: int = 16
    ) -> None:
        """On SQLite the runtime keeps `durable.sqlite` in the home; on PostgreSQL the schema `dbos` of the database."""
        from dbos import DBOS, DBOSConfig

        from store.durable_serializer import JsonSerializer

        if Durable._open is not None:
            raise DurableError("Another durable runtime is open in this process; close it first.")
        if not executor_id.strip():
            raise DurableError("The executor id is empty; each replica needs its own, the same after a restart.")
        self._concurrency = concurrency
        self._closing = threading.Event()
        self._gate = Gate()
        self._idle = threading.Condition()
        self._busy = 0
        self._launched = False
        self._names: set[str] = set()
        self._engine = engine_of_the_runtime(database_url, home, self._gate)
        dbos_log = logging.getLogger("dbos")
        if not dbos_log.handlers:
            # With a handler of ours in place DBOS adds none to the console, and its records go where ours go.
            dbos_log.addHandler(logging.NullHandler())
        dbos_log.addFilter(_is_news)
        self._dbos = DBOS(
            config=DBOSConfig(
                name="deskmate",
                system_database_url=self._engine.url.render_as_string(hide_password=False),
                system_database_engine=self._engine,
                dbos_system_schema="dbos",
                serializer=JsonSerializer(),
                application_version=version,
                executor_id=executor_id,
                log_level="WARNING",
                enable_otlp=False,
                notification_listener_polling_interval_sec=POLLING_SECONDS,
            )
        )
        Durable._open = self

    def workflow(self, name: str, function: Callable[P, None]) -> Callable[P, None]:
        """Register a function under a name that stays the same for as long as workflows of that name are stored.

        A workflow that raises ends in the status ERROR; what it raised is logged with an id, and the stored error
        holds that id, not the exception.
        """
        from dbos import DBOS

        if self._launched:
            raise DurableError(f"The workflow {name} must be registered before the launch.")
        if name in self._names:
            raise DurableError(f"There is a workflow named {name} already.")
        self._names.add(name)

        def body(*args: P.args, **kwargs: P.kwargs) -> None:
            self._work(+1)
            self._gate.inside.workflow = True
            try:
                self._stop_if_closing()
                function(*args, **kwargs)
            except Exception as error:
                failure = secrets.token_hex(4)
                log.error("Workflow %s %s failed (%s)", name, DBOS.workflow_id, failure, exc_info=error)
                raise StepFailed(type(error).__name__, f"failure {failure}") from None
            finally:
                self._gate.inside.workflow = False
                self._work(-1)

        return DBOS.workflow(name=name)(body)

    def launch(self) -> None:
        """Bring the runtime's tables to their current form, resume what was left, and begin to work."""
        from dbos import DBOS

        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=self._concurrency,
            partition_concurrency=1,
            polling_interval_sec=POLLING_SECONDS,
            on_conflict="always_update",
        )
        self._launched = True

    def close(self, *, wait_seconds: int = 5) -> None:
        """Begin nothing more, give steps at work up to `wait_seconds` to end, and leave the rest to the next start.

        Workflows that wait for a message or a time are left at once.
        """
        from dbos import DBOS

        if Durable._open is not self:
            return
        self._closing.set()
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0, timeout=wait_seconds)
        self._gate.closed.set()
        if self._launched:
            self._end_the_waiting()
            self._hang_up()
        DBOS.destroy(destroy_registry=True)
        self._engine.dispose()
        logging.getLogger("dbos").removeFilter(_is_news)
        Durable._open = None

    def start(self, workflow: Callable[[*Ts], None], *args: *Ts, key: str) -> None:
        """Start a workflow at once. A key that was used before is left as it is: the same key is one workflow."""

        from dbos import DBOS, SetWorkflowID

        def begin() -> None:
            with SetWorkflowID(_checked(key)):
                DBOS.start_workflow(workflow, *args)

        _apart(begin)

    def enqueue(self, workflow: Callable[[*Ts], None], *args: *Ts, key: str, partition: str) -> None:
        """Start a workflow after all that were enqueued for this partition before; partitions run side by side.

        Don't `receive` or `sleep` long in such a workflow: its partition waits with it.
        """
        from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

        if not partition:
            raise DurableError("The partition is empty.")

        def begin() -> None:
            with SetWorkflowID(_checked(key)), SetEnqueueOptions(queue_partition_key=partition):
                DBOS.enqueue_workflow(QUEUE, workflow, *args)

        _apart(begin)
        # The queue orders by the millisecond of enqueueing: whoever enqueues after this has returned comes later.
        time.sleep(0.002)

    def step(
        self,
        name: str,
        function: Callable[[*Ts], T],
        *args: *Ts,
        retries: int = 3,
        transient: tuple[type[Exception], ...] = TRANSIENT,
        pause_seconds: float = 0.5,
    ) -> T:
        """Do one thing inside a workflow; once it has ended, its result is stored and it is never done again.

        A process killed in its midst does it again, so an outward effect needs a key by which a repeat is recognised.
        Errors of the `transient` types are retried, pausing twice as long each time. Whatever it raises in the end
        arrives as `StepFailed`, at the first run as at a later one.
        """
        from dbos import DBOS
        from dbos import error as dbos_error

        self._stop_if_closing()

        def attempt() -> T:
            self._stop_if_closing()
            try:
                return function(*args)
            except StepFailed:
                raise
            except Exception as error:
                raise StepFailed(type(error).__name__, str(error), isinstance(error, transient)) from error

        try:
            return DBOS.run_step(
                {
                    "name": name,
                    "retries_allowed": retries > 0,
                    "max_attempts": retries + 1,
                    "interval_seconds": pause_seconds,
                    "backoff_rate": 2.0,
                    "should_retry": lambda error: isinstance(error, StepFailed) and error.transient,
                },
                attempt,
            )
        except dbos_error.DBOSMaxStepRetriesExceeded as error:
            raise StepFailed.of(error.errors[-1]) from error

    def sleep(self, seconds: float) -> None:
        """Sleep inside a workflow until a moment that is fixed at the first run."""
        until = self.step("until", lambda: time.time() + seconds, retries=0)
        with self._waiting():
            self._closing.wait(max(0.0, until - time.time()))
        self._stop_if_closing()

    def send(self, key: str, topic: str, message: JSON) -> None:
        """Send a message to the workflow with this key, which may be waiting for it or will find it later."""
        from dbos import DBOS

        DBOS.send(_checked(key), message, topic)

    def receive(self, topic: str, timeout_seconds: float) -> JSON | None:
        """The next message on a topic, inside a workflow; `None` if none comes in time."""
        from dbos import DBOS

        self._stop_if_closing()
        with self._waiting():
            return DBOS.recv(topic, timeout_seconds)

    def pending(self, older_than_seconds: float) -> list[str]:
        """Keys of workflows that are not finished so long after they were started, oldest first.

        Needs no launch, so that it can be asked beside a running bot.
        """
        schema = None if self._engine.dialect.name == "sqlite" else "dbos"
        if not inspect(self._engine).has_table("workflow_status", schema=schema):
            return []
        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        table = "workflow_status" if schema is None else "dbos.workflow_status"
        query = text(
            f"SELECT workflow_uuid FROM {table} WHERE status IN :unfinished AND created_at <= :before"  # noqa: S608 (two constants)
            " ORDER BY created_at, workflow_uuid"
        ).bindparams(bindparam("unfinished", UNFINISHED, expanding=True))
        with self._engine.connect() as connection:
            return [row[0] for row in connection.execute(query, {"before": int(before.timestamp() * 1000)})]

    def status(self, key: str) -> str | None:
        """`ENQUEUED`, `PENDING`, `SUCCESS`, `ERROR`, ... or `None` for a key that was never used."""
        from dbos import DBOS

        found = DBOS.list_workflows(workflow_ids=[key], load_input=False, load_output=False)
        return found[0].status if found else None

    def wait(self, key: str, timeout: float) -> None:
        """Wait until the workflow is finished, well or badly; raises `TimeoutError` after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (status := self.status(key)) is None or status in UNFINISHED:
            if time.monotonic() > deadline:
                raise TimeoutError(f"The workflow {key} is {status} after {timeout} seconds.")
            time.sleep(0.01)

    def _stop_if_closing(self) -> None:
        if self._closing.is_set():
            raise Stopping

    def _work(self, change: int) -> None:
        with self._idle:
            self._busy += change
            self._idle.notify_all()

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Within it a workflow doesn't count as busy."""
        self._work(-1)
        try:
            yield
        finally:
            self._work(+1)

    def _end_the_waiting(self) -> None:
        """Let threads in `receive` run into the closed gate, and threads that are done write their outcome.

        DBOS would leave the waiting ones where they are, for days maybe, and Python exits only when they have ended.
        """
        for _, _, signal in self._dbos._sys_db.notifications_map.snapshot():
            signal.set()
        deadline = time.monotonic() + 1.0
        while self._dbos._active_workflows_set.activeList() and time.monotonic() < deadline:
            time.sleep(0.01)

    def _hang_up(self) -> None:
        """End the connection on which DBOS hears PostgreSQL's notifications, and wait until it has noticed.

        DBOS itself closes it under the thread that waits there. When another socket is given its file descriptor
        meanwhile, that thread goes on waiting, and DBOS for the thread: ten seconds.
        """
        runtime = self._dbos._sys_db
        runtime._run_background_processes = False
        listening = getattr(runtime, "notification_conn", None)
        connection = listening.dbapi_connection if listening is not None else None
        if connection is None:
            return
        import psycopg

        with (
            suppress(psycopg.OperationalError, OSError),  # it is lost already
            socket.socket(fileno=os.dup(connection.fileno())) as line,
        ):
            line.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + 2.0
        while not connection.closed and time.monotonic() < deadline:
            time.sleep(0.01)


def _apart(begin: Callable[[], None]) -> None:
    """Start something that belongs to nobody: DBOS starts no workflow from within a step, and it needn't know the
    parent, since the key makes it one."""
    contextvars.Context().run(begin)


def _checked(key: str) -> str:
    if not key.strip() or len(key) > LONGEST_KEY:
        raise DurableError(f"A workflow's key has 1 to {LONGEST_KEY} characters.")
    return key


def _is_news(record: logging.LogRecord) -> bool:
    """Whether one of DBOS's log records says something that we don't log ourselves, with more."""
    return not str(record.msg).startswith("Exception encountered in background workflow")
