"""Names for shells: one a line, and silence where there are none to be had."""

import subprocess
import sys
from pathlib import Path

import pytest

from claw.cli import naming
from claw.client import remote
from claw.client.connection import PATIENCE_S
from claw.commands.methods import METHODS
from claw.kernel import clock
from tests.unit.cli.conftest import Serve, Typed

NAMES: dict[str, list[dict[str, str]]] = {
    "names": [{"name": "web", "says": "the site"}, {"name": "work", "says": ""}]
}


def test_each_name_is_a_line_with_what_it_is(clawctl: Typed, serve: Serve) -> None:
    server = serve(name__list=NAMES)

    assert clawctl("_complete", "jobs", "w") == (0, "web\tthe site\nwork\n", "")
    assert server.requests[-1].params == {"kind": "jobs", "prefix": "w"}


def test_several_kinds_are_asked_for_in_their_order(clawctl: Typed, serve: Serve) -> None:
    server = serve(name__list=NAMES)

    clawctl("_complete", "targets runs", "")

    assert [one.params["kind"] for one in server.requests] == ["targets", "runs"]


def test_options_before_it_name_another_home(
    clawctl: Typed, serve: Serve, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(name__list=NAMES)
    monkeypatch.setenv("CLAW_HOME", "/nowhere")

    assert clawctl("--home", str(home), "_complete", "jobs", "we")[1].startswith("web\t")
    assert clawctl("_complete", "jobs", "we") == (0, "", "")


@pytest.mark.parametrize("words", [("jobs",), ("jobs", "w"), ("nonsense", "w"), ()])
def test_nobody_hears_of_it_when_the_master_is_away(
    clawctl: Typed, words: tuple[str, ...]
) -> None:
    assert clawctl("_complete", *words) == (0, "", "")


def test_what_is_refused_or_not_answered_is_no_name(clawctl: Typed, serve: Serve) -> None:
    serve(lambda _request, session: session.hang_up())

    assert clawctl("_complete", "nonsense", "x") == (0, "", "")


def test_what_needs_no_master_is_known_without_one(clawctl: Typed) -> None:
    assert clawctl("_complete", "signals", "HU") == (0, "HUP\n", "")
    assert "Europe/Berlin\n" in clawctl("_complete", "zones", "Europe/B")[1]
    methods = clawctl("_complete", "methods", "")[1].splitlines()
    assert [line.partition("\t")[0] for line in methods] == list(METHODS)


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("timeo", {"timeout="}),
        ("restart.po", {"restart.policy="}),
        ("restart.policy=a", {"restart.policy=always"}),
        ("enabled=", {"enabled=true", "enabled=false"}),
        ("nonsense.deep=", set()),
        ("nonsense=", set()),
    ],
)
def test_keys_of_jobs_and_their_words_are_known(
    clawctl: Typed, prefix: str, names: set[str]
) -> None:
    lines = clawctl("_complete", "settings", prefix)[1].splitlines()

    assert {line.partition("\t")[0] for line in lines} == names


def test_keys_of_jobs_have_names_without_values_too(clawctl: Typed) -> None:
    assert clawctl("_complete", "fields", "timeout")[1].startswith("timeout\t")


def test_a_name_from_the_master_needs_few_modules(serve: Serve) -> None:
    serve(name__list=NAMES)
    code = (
        "import sys; from claw.cli.main import main; main(['_complete', 'jobs', ''])\n"
        "print(*(name for name in sys.modules if name.startswith('claw.co')), sep='')"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout == "web\tthe site\nwork\n\n"


def test_a_host_that_is_silent_holds_up_nobody_and_asks_for_nothing(
    clawctl: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "words"
    monkeypatch.setenv("CLAW_SSH", f"sh -c 'echo \"$@\" > {said}; exec sleep 1000' ssh")
    monkeypatch.setattr(remote, "_has_terminal", lambda: True)
    monkeypatch.setattr(naming, "PATIENCE_S", 1.0)
    begun = clock.monotonic()

    assert clawctl("-H", "far", "_complete", "jobs", "") == (0, "", "")
    assert clock.monotonic() - begun < PATIENCE_S / 2
    assert "BatchMode=yes" in said.read_text()


def test_of_several_hosts_none_is_asked(
    clawctl: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAW_SSH", f"touch {tmp_path}/asked")

    assert clawctl("-H", "a,b", "_complete", "jobs", "") == (0, "", "")
    assert clawctl("-H", "a,b", "_complete", "signals", "HU") == (0, "HUP\n", "")
    assert not (tmp_path / "asked").exists()


def test_backups_are_named_without_a_master_the_newest_first(
    home: Path, clawctl: Typed, tmp_path: Path
) -> None:
    assert clawctl("_complete", "backups", "") == (0, "", "")
    names = ["claw-20260101T000000.000Z-0.1.0.tar.gz", "claw-20260102T000000.000Z-0.2.0.tar.gz"]
    for folder in (home / "state/backup", tmp_path / "disk"):
        folder.mkdir(parents=True)
        (folder / names.pop()).touch()
        (folder / "other").touch()

    said = clawctl("_complete", "backups", "")[1]
    assert said == "latest\tthe newest\n20260102T000000.000Z\tby claw 0.2.0\n"
    (home / "config").mkdir()
    (home / "config/claw.toml").write_text(f'[backup]\nto = "{tmp_path}/disk"\n')
    assert clawctl("_complete", "backups", "2026")[1] == "20260101T000000.000Z\tby claw 0.1.0\n"
