"""The index folder between processes, and an ingestion that is killed."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

from knowledge.articles import Document
from knowledge.library import Library
from knowledge.settings import KnowledgeSettings
from store import Database

MakeArticle = Callable[..., Document]
ROOT = Path(__file__).parents[2]

CHILD = """
import sys
from pathlib import Path
from knowledge.articles import Document
from knowledge.library import Library
from knowledge.settings import KnowledgeSettings
from store import Database
library = Library(Database.at(sys.argv[1]), KnowledgeSettings(home=Path(sys.argv[2])))
"""

ADD = (
    CHILD
    + """
documents = [
    Document(f"a{n}", f"Machine {n}", "\\n\\n".join(f"## Part {p}\\n\\nThe part {p} of machine {n}." for p in range(8)),
             None, (), None, None, "s", "", None)
    for n in range(80)
]
library.add(documents, progress=lambda done: print(done.articles, flush=True))
print("done", flush=True)
library.close()
"""
)


def child(code: str, database: Database, settings: KnowledgeSettings) -> subprocess.Popen[str]:
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", textwrap.dedent(code), url, str(settings.home)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_a_second_process_answers_beside_the_owner_and_its_changes_arrive(
    sqlite_database: Database, settings: KnowledgeSettings, article: MakeArticle
) -> None:
    with Library(sqlite_database, settings) as owner:
        owner.add([article("vpn", "Connect to the VPN", "1. Open the client.\n2. Choose Connect.\n")])
        code = CHILD + (
            "print(library.answer('connect to the vpn').text.count('Open the client'), library.owns_index)\n"
            "library.add([Document('wifi', 'Wifi', 'A wifi certificate', None, (), None, None, 's', '', None)])\n"
        )
        guest = child(code, sqlite_database, settings)
        said, _ = guest.communicate(timeout=60)
        assert (guest.returncode, said.split()) == (0, ["1", "False"])
        assert owner.refresh()
        assert owner.answer("wifi certificate").citations[0].article_id == "wifi"


def test_an_ingestion_killed_midway_goes_on_where_it_was(
    sqlite_database: Database, settings: KnowledgeSettings
) -> None:
    first = child(ADD, sqlite_database, settings)
    assert first.stdout is not None
    committed = int(first.stdout.readline())
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    first.stdout.close()
    assert 0 < committed < 80

    second = child(ADD, sqlite_database, settings)
    said, _ = second.communicate(timeout=120)
    assert said.split()[-1] == "done"
    with Library(sqlite_database, settings) as library:
        assert library.owns_index is False
        library.warm()
        assert library.owns_index
        assert {found.article_id for found in library.rank("machine", limit=200)} == {f"a{n}" for n in range(80)}


def test_answers_go_on_while_the_knowledge_changes(
    sqlite_database: Database, settings: KnowledgeSettings, article: MakeArticle
) -> None:
    with Library(sqlite_database, settings) as library:
        library.add([article("vpn", "Connect to the VPN", "1. Open the client.\n2. Choose Connect.\n")])
        wrong: list[str] = []
        over = threading.Event()

        def ask() -> None:
            while not over.wait(0.01):
                try:
                    if "Open the client" not in library.answer("connect to the vpn").text:
                        wrong.append("no answer")
                except Exception as error:  # noqa: BLE001 (whatever it is, the test reports it)
                    wrong.append(repr(error))

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for number in range(10):
            library.add([article(f"x{number}", f"Printer {number}", "Print.", access=(f"g{number}",))])
            library.retire("handbook", {"vpn"})
        over.set()
        for thread in threads:
            thread.join()
        assert wrong == []
