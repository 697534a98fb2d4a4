"""``completion`` and ``man``, which need neither a daemon nor installed files."""

import json
import os
import stat
from pathlib import Path

import pytest

from claw.cli.verbs import manual as verb
from claw.commands.table import BY_NAME
from claw.docgen import manual
from claw.docgen.registry import DOCUMENTS
from tests.unit.cli.conftest import Typed

FILES = {"bash": "clawctl.bash", "zsh": "_clawctl", "fish": "clawctl.fish"}


@pytest.mark.parametrize("shell", FILES)
def test_the_script_of_a_shell_is_the_one_that_is_installed(clawctl: Typed, shell: str) -> None:
    printed = clawctl("completion", shell)

    assert printed == (0, DOCUMENTS[f"completions/{FILES[shell]}"](), "")
    assert json.loads(clawctl("completion", shell, "--json")[1])["script"] == printed[1]


def test_another_shell_is_refused_with_those_that_there_are(clawctl: Typed) -> None:
    status, _out, err = clawctl("completion", "tcsh")

    assert status == 2
    assert "bash, zsh, fish" in err


def test_a_page_is_plain_text_where_no_person_reads(clawctl: Typed) -> None:
    status, out, err = clawctl("man")

    assert (status, err) == (0, "")
    assert out.startswith("CLAWCTL(1)\n\nNAME\n    clawctl - ")
    assert "\x1b" not in out
    assert "EXIT STATUS" in out
    assert json.loads(clawctl("man", "claw.toml", "--json")[1])["section"] == 5


@pytest.mark.parametrize(
    ("words", "page"),
    [
        (("clawctl",), "CLAWCTL(1)"),
        (("runs",), "CLAWCTL-RUNS(1)"),
        (("clawctl-runs",), "CLAWCTL-RUNS(1)"),
        (("runs", "list"), "CLAWCTL-RUNS(1)"),
        (("stop",), "CLAWCTL-JOB(1)"),
        (("clawctl", "stop"), "CLAWCTL-JOB(1)"),
        (("clawd",), "CLAWD(8)"),
        (("clawd.8",), "CLAWD(8)"),
        (("claw.toml",), "CLAW.TOML(5)"),
        (("jobs",), "CLAW-JOBS(7)"),
        (("protocol",), "CLAW-PROTOCOL(7)"),
    ],
)
def test_a_page_goes_by_its_name_or_by_a_command(
    clawctl: Typed, words: tuple[str, ...], page: str
) -> None:
    assert clawctl("man", *words)[1].splitlines()[0] == page


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_there_is_a_page_for_every_command(name: str) -> None:
    page = manual.find(name)

    assert page is not None
    if name == BY_NAME[name].name:
        assert any(getattr(block, "text", "") == f"clawctl {name}" for block in page.blocks)


def test_a_page_that_is_not_there_is_told_with_the_nearest(clawctl: Typed) -> None:
    status, out, err = clawctl("man", "workflw")

    assert (status, out) == (4, "")
    assert "did you mean 'workflow'?" in err


def test_on_a_terminal_a_program_for_pages_shows_it_and_without_one_it_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = manual.find("clawd")
    assert page is not None
    viewer, seen = tmp_path / "bin/mandoc", tmp_path / "seen"
    viewer.parent.mkdir()
    viewer.write_text(f'#!/bin/sh\n/bin/cat > {seen}\nexit "${{VIEWER_STATUS:-0}}"\n')
    viewer.chmod(viewer.stat().st_mode | stat.S_IXUSR)

    monkeypatch.setenv("PATH", os.fspath(tmp_path / "nothing"))
    assert not verb._is_viewed(page)
    monkeypatch.setenv("PATH", os.fspath(viewer.parent))
    assert verb._is_viewed(page)
    assert ".Dt CLAWD 8" in seen.read_text()
    monkeypatch.setenv("VIEWER_STATUS", "1")
    assert not verb._is_viewed(page)
