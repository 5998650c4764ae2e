"""What is in the knowledge base after a folder was taken in, again, and after its files changed."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import select

from ingest import file
from ingest.article import Article as FileArticle
from ingest.ingestion import Ingestion, ingest
from ingest.records import published
from ingest.report import Report
from knowledge.articles import current_version_of_article
from knowledge.library import Library
from knowledge.records import Article, ArticleVersion
from store import Database

Ingest = Callable[..., Report]


class Articles(Protocol):
    root: Path

    def write(self, path: str, text: str | bytes) -> Path: ...


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.removed


def ids(database: Database, root: Path) -> set[str]:
    with database.reading() as session:
        return published(session, str(root.resolve()))


def markdown_of(database: Database, article_id: str) -> str | None:
    query = select(ArticleVersion.markdown).join(Article, current_version_of_article())
    with database.reading() as session:
        return session.execute(query.where(Article.article_id == article_id)).scalar_one_or_none()


def test_articles_are_known_by_their_id_or_their_path_without_suffix(
    kb: Articles, taken_in: Ingest, database: Database
) -> None:
    kb.write("mail/outlook.md", "# Outlook\n\nText")
    kb.write("vpn.v2.HTML", "<h1>VPN</h1>")
    kb.write("deep/er/printer.markdown", "---\nid: printer-1\n---\nText")
    kb.write(".hidden.md", "hidden")
    kb.write(".git/a.md", "hidden")
    kb.write("node_modules/a.md", "hidden")
    kb.write("notes.txt", "no article")

    assert counts(taken_in(kb.root)) == (3, 0, 0, 0)
    assert ids(database, kb.root) == {"mail/outlook", "vpn.v2", "printer-1"}


def test_a_second_run_reads_nothing_into_articles_again(
    kb: Articles, taken_in: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    kb.write("a.md", "One")
    kb.write("b.md", "Two")
    taken_in(kb.root)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("an unchanged file was read again")

    monkeypatch.setattr(file, "parse", never)
    monkeypatch.setattr(Library, "add", never)
    monkeypatch.setattr(Library, "retire", never)

    assert counts(taken_in(kb.root)) == (0, 0, 2, 0)


def test_changed_new_and_vanished_files_are_told_apart(kb: Articles, taken_in: Ingest, database: Database) -> None:
    kb.write("same.md", "Same")
    kb.write("changes.md", "Before")
    vanishes = kb.write("vanishes.md", "Gone soon")
    taken_in(kb.root)
    kb.write("changes.md", "After")
    kb.write("new.md", "New")
    vanishes.unlink()

    assert counts(taken_in(kb.root)) == (1, 1, 1, 1)
    assert ids(database, kb.root) == {"same", "changes", "new"}
    assert markdown_of(database, "changes") == "After\n"


def test_a_file_that_comes_back_is_an_article_again(kb: Articles, taken_in: Ingest, database: Database) -> None:
    a = kb.write("a.md", "One")
    kb.write("b.md", "Two")
    taken_in(kb.root)
    a.unlink()
    taken_in(kb.root)
    kb.write("a.md", "One")

    report = taken_in(kb.root)

    assert (report.added + report.changed, report.unchanged) == (1, 1)
    assert ids(database, kb.root) == {"a", "b"}


def test_a_moved_file_with_its_own_id_stays_the_same_article(
    kb: Articles, taken_in: Ingest, database: Database
) -> None:
    kb.write("a.md", "---\nid: x\ntitle: Printers\n---\nText")
    taken_in(kb.root)
    (kb.root / "a.md").rename(kb.root / "0.md")

    assert counts(taken_in(kb.root)) == (0, 0, 1, 0)
    assert counts(taken_in(kb.root)) == (0, 0, 1, 0)
    assert ids(database, kb.root) == {"x"}


@pytest.mark.parametrize("broken", ["---\ntitle: [a\n---\nText", b"Text\0", "x" * 5_000_001, ""])
def test_a_file_that_fails_keeps_its_last_good_version_and_is_reported_each_time(
    broken: str | bytes, kb: Articles, taken_in: Ingest, database: Database
) -> None:
    kb.write("a.md", "Good")
    kb.write("b.md", "Other")
    taken_in(kb.root)
    kb.write("a.md", broken)

    for _ in range(2):
        report = taken_in(kb.root)
        assert counts(report) == (0, 0, 1, 0)
        assert [failure.path for failure in report.failed] == [str(kb.root / "a.md")]
        assert "last good version stays" in report.failed[0].error
    assert markdown_of(database, "a") == "Good\n"

    kb.write("a.md", "Mended")
    assert counts(taken_in(kb.root)) == (0, 1, 1, 0)


def test_a_file_mended_to_what_it_was_is_unchanged(kb: Articles, taken_in: Ingest) -> None:
    kb.write("a.md", "Good")
    taken_in(kb.root)
    kb.write("a.md", b"\0")
    taken_in(kb.root)
    kb.write("a.md", "Good")

    assert counts(taken_in(kb.root)) == (0, 0, 1, 0)


@pytest.mark.parametrize("access", ["access: hr", "access: []", "Access: [hr]", "access: [hr"])
def test_an_article_whose_access_can_not_be_told_any_more_is_taken_back(
    access: str, kb: Articles, taken_in: Ingest, database: Database
) -> None:
    kb.write("a.md", "---\ntitle: Salaries\n---\nOpen to everybody")
    kb.write("b.md", "Other")
    taken_in(kb.root)
    kb.write("a.md", f"---\ntitle: Salaries\n{access}\n---\nNot for everybody")

    report = taken_in(kb.root)

    assert counts(report) == (0, 0, 1, 1)
    assert "taken back" in report.failed[0].error
    assert ids(database, kb.root) == {"b"}
    kb.write("a.md", "---\ntitle: Salaries\naccess: [hr]\n---\nNot for everybody")
    taken_in(kb.root)
    assert ids(database, kb.root) == {"a", "b"}


def test_a_new_file_with_malformed_access_is_not_taken_in_and_the_rest_is(
    kb: Articles, taken_in: Ingest, database: Database
) -> None:
    kb.write("a.md", "---\naccess: hr\n---\nText")
    kb.write("b.md", "Other")

    report = taken_in(kb.root)

    assert counts(report) == (1, 0, 0, 0)
    assert "access" in report.failed[0].error
    assert ids(database, kb.root) == {"b"}


def test_restricted_articles_reach_only_their_groups(kb: Articles, taken_in: Ingest, library: Library) -> None:
    kb.write("a.md", "---\ntitle: Payroll export\naccess: [hr, finance]\n---\nExport the payroll on the first Monday.")

    taken_in(kb.root)

    assert not library.answer("How do I export the payroll?").citations
    assert [hit.article_id for hit in library.answer("payroll export", groups=frozenset({"hr"})).citations] == ["a"]


def test_of_two_files_with_the_same_id_the_second_fails(kb: Articles, taken_in: Ingest, database: Database) -> None:
    kb.write("a.md", "---\nid: x\n---\nFirst")
    kb.write("b.md", "---\nid: x\n---\nSecond")
    kb.write("c.html", "<p>Page</p>")
    kb.write("c.md", "Text")

    for expected in ((2, 0, 0, 0), (0, 0, 2, 0)):
        report = taken_in(kb.root)
        assert counts(report) == expected
        assert [(Path(failure.path).name, Path(failure.error.split()[-2]).name) for failure in report.failed] == [
            ("b.md", "a.md"),
            ("c.md", "c.html"),
        ]
    assert markdown_of(database, "x") == "First\n"


def test_a_newcomer_can_not_take_the_id_of_an_article_that_is_in(
    kb: Articles, taken_in: Ingest, database: Database
) -> None:
    kb.write("b.md", "---\nid: x\n---\nMine")
    taken_in(kb.root)
    kb.write("a.md", "---\nid: x\n---\nNo, mine")
    kb.write("b.md", "---\nid: x\n---\nMine still")

    report = taken_in(kb.root)

    assert counts(report) == (0, 1, 0, 0)
    assert Path(report.failed[0].path).name == "a.md"
    assert markdown_of(database, "x") == "Mine still\n"
    (kb.root / "b.md").unlink()
    assert counts(taken_in(kb.root)) == (0, 1, 0, 0)
    assert markdown_of(database, "x") == "No, mine\n"


def test_links_are_not_followed_out_of_the_root_nor_in_circles(
    kb: Articles, taken_in: Ingest, database: Database, tmp_path: Path
) -> None:
    secret = tmp_path / "outside"
    secret.mkdir()
    (secret / "secret.md").write_text("Secret")
    kb.write("a/a.md", "Text")
    kb.write("..data/mounted.md", "As Kubernetes mounts it")
    (kb.root / "a" / "loop").symlink_to(kb.root)
    (kb.root / "out").symlink_to(secret)
    (kb.root / "secret.md").symlink_to(secret / "secret.md")
    (kb.root / "again.md").symlink_to("a/a.md")
    (kb.root / "mounted.md").symlink_to("..data/mounted.md")
    (kb.root / "dangling.md").symlink_to("nowhere.md")
    (kb.root / "self.md").symlink_to("self.md")

    report = taken_in(kb.root)

    assert counts(report) == (2, 0, 0, 0)
    assert report.failed == []
    assert ids(database, kb.root) == {"a/a", "mounted"}


def test_one_root_leaves_the_articles_of_another_alone(
    kb: Articles, taken_in: Ingest, database: Database, tmp_path: Path
) -> None:
    kb.write("a.md", "Text")
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.md").write_text("Other")
    taken_in(kb.root, other)
    (other / "b.md").unlink()

    assert counts(taken_in(kb.root)) == (0, 0, 1, 0)
    assert ids(database, other) == {"b"}
    assert counts(taken_in(other)) == (0, 0, 0, 1)
    assert ids(database, kb.root) == {"a"}


def test_a_single_file_has_its_folder_as_root_and_removes_nothing(
    kb: Articles, taken_in: Ingest, database: Database
) -> None:
    a, b = kb.write("a.md", "One"), kb.write("b.md", "Two")

    assert counts(taken_in(a)) == (1, 0, 0, 0)
    assert counts(taken_in(b)) == (1, 0, 0, 0)
    assert ids(database, kb.root) == {"a", "b"}
    assert counts(taken_in(kb.root)) == (0, 0, 2, 0)


def test_a_single_file_of_an_ingested_folder_is_the_article_it_was(
    kb: Articles, taken_in: Ingest, database: Database
) -> None:
    file = kb.write("mail/a.md", "One")
    kb.write("b.md", "Two")
    taken_in(kb.root)
    kb.write("mail/a.md", "Changed")

    assert counts(taken_in(file)) == (0, 1, 0, 0)
    assert ids(database, kb.root) == {"mail/a", "b"}


def test_a_single_file_that_changes_its_id_leaves_no_second_article(
    kb: Articles, taken_in: Ingest, database: Database
) -> None:
    file = kb.write("a.md", "---\nid: x\n---\nOne")
    kb.write("b.md", "Two")
    taken_in(kb.root)
    kb.write("a.md", "---\nid: y\n---\nOne")

    assert counts(taken_in(file)) == (1, 0, 0, 1)
    assert ids(database, kb.root) == {"y", "b"}


def test_a_file_within_a_folder_that_is_named_too_is_read_once(kb: Articles, taken_in: Ingest) -> None:
    file = kb.write("mail/a.md", "One")

    assert counts(taken_in(file, kb.root, kb.root, f"{kb.root}/")) == (1, 0, 0, 0)


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator can read everything")
def test_a_folder_that_can_not_be_read_loses_nothing(kb: Articles, taken_in: Ingest, database: Database) -> None:
    kb.write("mail/a.md", "One")
    taken_in(kb.root)
    (kb.root / "mail").chmod(0)

    report = taken_in(kb.root)

    (kb.root / "mail").chmod(0o700)
    assert report.removed == 0
    assert "can't be read" in report.failed[0].error
    assert ids(database, kb.root) == {"mail/a"}


def test_files_below_an_unreadable_folder_are_not_taken_for_vanished(
    kb: Articles, taken_in: Ingest, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kb.write("mail/a.md", "One")
    kb.write("b.md", "Two")
    taken_in(kb.root)
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("mail"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    report = taken_in(kb.root)

    assert counts(report) == (0, 0, 1, 0)
    assert report.failed[0].error == "the folder can't be read: Permission denied"
    assert ids(database, kb.root) == {"mail/a", "b"}


def test_what_is_not_supported_or_not_there_is_one_clear_line_and_the_rest_is_in(
    kb: Articles, taken_in: Ingest, database: Database
) -> None:
    kb.write("a.md", "One")
    pdf, text = kb.write("a.pdf", "%PDF"), kb.write("a.txt", "text")

    report = taken_in(kb.root / "nowhere", "https://wiki.example/it", pdf, text, kb.root)

    assert counts(report) == (1, 0, 0, 0)
    assert [failure.error for failure in report.failed] == [
        "there is no such file or folder",
        "web addresses aren't supported yet; give a folder, a Markdown or an HTML file",
        "PDF files aren't supported yet",
        "not an article: its name must end in one of .md, .markdown, .html, .htm",
    ]


def test_a_name_that_is_no_text_fails_and_the_rest_is_in(kb: Articles, taken_in: Ingest) -> None:
    kb.write("a.md", "One")
    with open(os.fsencode(kb.root) + b"/b\xff.md", "wb") as stream:
        stream.write(b"Two")

    report = taken_in(kb.root)

    assert counts(report) == (1, 0, 0, 0)
    assert "no text" in report.failed[0].error
    json.dumps(report.as_json()).encode()
    str(report.failed[0].path).encode()


def test_an_interrupted_run_is_finished_by_the_next(
    kb: Articles, taken_in: Ingest, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kb.write("a.md", "One")
    kb.write("b.md", "Two")
    with monkeypatch.context() as patched:

        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(Ingestion, "_remove", interrupted)
        with pytest.raises(KeyboardInterrupt):
            taken_in(kb.root)

    assert counts(taken_in(kb.root)) == (0, 0, 2, 0)
    (kb.root / "a.md").unlink()
    assert counts(taken_in(kb.root)) == (0, 0, 1, 1)


def test_another_version_of_the_reader_reads_all_files_again(
    kb: Articles, taken_in: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    kb.write("a.md", "One")
    taken_in(kb.root)
    parsed: list[str] = []
    parse = file.parse

    def counted(raw: bytes, *, name: str) -> FileArticle:
        parsed.append(name)
        return parse(raw, name=name)

    monkeypatch.setattr(file, "READER", file.READER + 1)
    monkeypatch.setattr(file, "parse", counted)

    assert counts(taken_in(kb.root)) == (0, 0, 1, 0)
    assert counts(taken_in(kb.root)) == (0, 0, 1, 0)
    assert parsed == ["a.md"]


def test_progress_is_told_up_to_the_last_file(kb: Articles, library: Library, database: Database) -> None:
    for number in range(5):
        kb.write(f"{number}.md", f"Text {number}")
    kb.write("broken.md", b"\0")
    told: list[tuple[str, int]] = []

    class Told:
        def start(self, total: int, what: str = "Articles") -> None:
            told.append(("start", total))

        def advance(self, done: int) -> None:
            told.append(("advance", done))

    ingest([str(kb.root)], library=library, database=database, progress=Told())

    assert (told[0], told[-1]) == (("start", 6), ("advance", 6))


def test_the_report_reads_as_json_and_as_a_sentence(kb: Articles, taken_in: Ingest) -> None:
    kb.write("a.md", "One")
    kb.write("b.md", b"\0")

    report = taken_in(kb.root)

    assert report.as_json() == {
        "added": 1,
        "changed": 0,
        "unchanged": 0,
        "removed": 0,
        "failed": [{"path": str(kb.root / "b.md"), "error": "not a text file: it holds a NUL byte at position 0"}],
    }
    assert str(report) == "1 added, 0 changed, 0 unchanged, 0 removed, 1 failed"
