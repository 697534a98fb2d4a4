"""Several hosts at once; in the place of each clawctl there is a small program."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from claw.cli import fanout, masters
from tests.kit.clawctl import ROOT

TALKING = "import os, sys; print(f'{sys.argv[2]} said {sys.stdin.read()}')"
HELD = """
import os, pathlib, signal, sys
pathlib.Path(sys.argv[3], sys.argv[2]).write_text(str(os.getpid()))
print("begun", flush=True)
signal.pause()
"""
PARENT = """
import sys
from claw.cli import fanout, main, masters
masters.interpreter = lambda: [sys.executable, "-c", sys.argv[1]]
try:
    sys.exit(fanout.run(["a", "b"], [sys.argv[2]], is_json=False, has_lines=True))
except BrokenPipeError:
    sys.exit(main.BROKEN_PIPE)
"""


@pytest.fixture(name="program")
def _program(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found = [sys.executable, "-c", TALKING]
    monkeypatch.setattr(masters, "interpreter", lambda: found)
    return found


def test_each_host_is_given_what_comes_on_standard_input(
    program: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "input").write_text("a value")
    with (tmp_path / "input").open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        status = fanout.run(
            ["a", "b"], [], is_json=False, has_lines=False, reads_input=bool(program)
        )

    assert status == 0
    assert capsys.readouterr().out.splitlines() == [
        "a  a said a value", "b  b said a value"
    ]  # fmt: skip


def test_tables_of_several_hosts_stand_one_after_the_other_as_they_were_named(
    program: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "fifo")  # b says all it has before a ends
    program[2] = f"""
import sys
print("A", flush=True)
open("{tmp_path}/fifo", "w" if sys.argv[2] == "b" else "r").close()
print("B", flush=True)
"""

    assert fanout.run(["b", "a"], [], is_json=False, has_lines=False) == 0
    assert capsys.readouterr().out.splitlines() == ["b  A", "b  B", "a  A", "a  B"]


def test_a_line_that_is_no_object_is_a_complaint_and_ends_nothing(
    program: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    program[2] = "print('[1]'); print('no JSON'); print('{\"a\": 1}')"

    assert fanout.run(["a", "b"], [], is_json=True, has_lines=True) == 0
    said = capsys.readouterr()
    assert sorted(said.out.splitlines()) == ['{"host": "a", "a": 1}', '{"host": "b", "a": 1}']
    assert "clawctl: a: it says what is no JSON object: no JSON" in said.err.splitlines()
    assert len(said.err.splitlines()) == 4


@pytest.mark.parametrize(("has_lines", "kept"), [(True, 0), (False, 3)])
def test_what_is_told_at_once_is_not_kept(
    program: list[str], has_lines: bool, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    program[2] = "print('{}\\n' * 3, end='')"
    hosts: list[fanout._Host] = []
    say = fanout._Place.tell

    def tell(place: fanout._Place, host: fanout._Host, line: str, *, is_err: bool) -> None:
        hosts.append(host)
        say(place, host, line, is_err=is_err)

    monkeypatch.setattr(fanout._Place, "tell", tell)
    fanout.run(["a"], [], is_json=True, has_lines=has_lines)

    assert [len(one.out) for one in hosts] == [kept] * 3


def test_when_one_cannot_be_begun_the_others_are_ended(
    program: list[str], tmp_path: Path
) -> None:
    program[2] = HELD
    begun: list[subprocess.Popen[str]] = []

    class Failing(subprocess.Popen[str]):
        def __init__(self, *args: object, **more: object) -> None:
            if begun:
                raise BlockingIOError
            super().__init__(*args, **more)  # type: ignore[call-overload]
            begun.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", Failing)
        with pytest.raises(BlockingIOError):
            fanout.run(["a", "b"], [str(tmp_path)], is_json=False, has_lines=False)
    assert begun[0].returncode == -signal.SIGTERM


@pytest.mark.parametrize("way", ["nobody reads", signal.SIGTERM, signal.SIGHUP])
def test_whoever_is_ended_leaves_nobody_behind(
    way: str | signal.Signals, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, HELD, str(tmp_path)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT, text=True,
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        if isinstance(way, str):
            parent.stdout.close()
        else:
            both = [parent.stdout.readline() for _ in range(2)]
            assert sorted(both) == ["a  begun\n", "b  begun\n"]
            parent.send_signal(way)
        status = parent.wait(30)

    assert status == (141 if isinstance(way, str) else 128 + way)
    for one in tmp_path.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(one.read_text()), 0)
