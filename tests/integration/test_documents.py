"""What the documentation shows is typed: each command is known, and what can be run is."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import documents, nursery
from tests.kit.documents import COMMANDS, Block, Page
from tests.kit.errorpaths import typed
from tests.kit.following import Reader, programs, unknown_in_sentence, wrong
from tests.kit.master import MasterUnderTest

PAGES = documents.pages()
RUN = [page for page in PAGES if page.has_commands]
MOST_NOT_RUN = 12
"""Blocks that may be only looked at; each says why."""


class SharedDaemon:
    """One daemon for all pages, with the configuration of one at a time."""

    def __init__(self, folder: Path) -> None:
        self.master = MasterUnderTest(folder)
        self._is_running = False

    def take(self, config: str) -> None:
        """Make this the whole configuration, and start what is not running."""
        with contextlib.suppress(FileNotFoundError):
            (self.master.folder / "config" / "managed.toml").unlink()
        self.master.configure(config)
        if self._is_running:
            self.master.call("config.reload")
        else:
            self.master.start()
            self._is_running = True


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedDaemon]:
    shared = SharedDaemon(tmp_path_factory.mktemp("shared"))
    yield shared
    shared.master.end()


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What a reader's shell begins with: claw among its programs, and no home."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CLAW_", "XDG_", "PYTHON"))
    }
    kept |= {"EDITOR": "true", "LC_ALL": "C.UTF-8", "REPOSITORY": str(documents.ROOT)}
    warm = nursery.Nursery(nursery.WRITING, kept)
    path = programs(tmp_path_factory.mktemp("path") / "bin", warm)
    yield {**kept, "PATH": f"{path}:{os.environ['PATH']}"}
    warm.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_shown_is_one(page: Page) -> None:
    shown = [
        (block, words)
        for block in page.blocks
        if block.language in COMMANDS
        for statement in block.statements
        for words in documents.commands(statement)
    ]

    assert [f"{block.where}: {wrong(words)}" for block, words in shown if wrong(words)] == []
    assert [text for text in map(unknown_in_sentence, page.spans) if text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_configuration_that_is_shown_is_good(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "shown.toml"
    for block in page.blocks:
        if block.language == "toml":
            file.write_text(block.whole)
            ended = typed(str(tmp_path), ["config", "validate", "-f", str(file)])
            assert ended.status == 0, f"{block.where}: {ended.err}"


def test_every_link_leads_somewhere() -> None:
    files = [documents.ROOT / page.name for page in PAGES]

    assert [link for path in files for link in documents.broken_links(path)] == []


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_every_page_can_be_followed_to_its_end(
    page: Page, tmp_path: Path, environ: dict[str, str], daemon: SharedDaemon
) -> None:
    if page.has("own home"):
        own = MasterUnderTest(tmp_path / "claw")
        home = {"CLAW_HOME": str(own.folder), "PYTHONPATH": ""}
        with Reader(page, tmp_path, {**environ, **home}, None) as reader:
            try:
                reader.read()
            finally:
                reader.leave()
        own.wait_until(lambda: not own.leftovers(), "an end of all that the page began")
        return
    daemon.take("")
    home = {"CLAW_HOME": str(daemon.master.folder)}
    with Reader(page, tmp_path, {**environ, **home}, daemon) as reader:
        reader.read()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("false\n", "exit status 1"),
        ("exit 3\n", "does not come back"),
        ("echo 'Traceback' >&2\n", "Traceback"),
    ],
)
def test_a_page_that_cannot_be_followed_is_told(
    text: str, told: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    page = Page("page", (Block("page", 1, "sh", text),), ())

    with (
        Reader(page, tmp_path, environ, None) as reader,
        pytest.raises(AssertionError) as raised,
    ):
        reader.read()

    assert told in str(raised.value)
    assert "page:1" in str(raised.value)


@pytest.mark.parametrize("words", ["status-of", "logs web --folow", "run x --in soon", "job"])
def test_a_command_that_is_none_is_told(words: str) -> None:
    assert wrong(["clawctl", *words.split()]) or unknown_in_sentence(f"clawctl {words} X")


def test_what_is_not_run_says_why_and_is_little() -> None:
    found = [
        (block.where, order.words)
        for page in PAGES
        for block in page.blocks
        if (order := block.order("not run")) is not None
    ]

    assert [where for where, reason in found if len(reason.split()) < 3] == []
    assert len(found) <= MOST_NOT_RUN, found
