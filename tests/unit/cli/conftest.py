"""``clawctl`` in this process, against a small real server."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from claw.cli.main import main
from tests.kit.control_server import Answer, ControlServer, answering

Typed = Callable[..., tuple[int, str, str]]
Serve = Callable[..., ControlServer]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, which every command is about."""
    folder = tmp_path / "home"
    (folder / "run").mkdir(parents=True)
    monkeypatch.setenv("CLAW_HOME", str(folder))
    monkeypatch.setenv("NO_COLOR", "1")
    return folder


@pytest.fixture
def clawctl(home: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Type a command line; returns its exit status and both outputs."""
    assert home.exists()

    def typed(*words: str) -> tuple[int, str, str]:
        status = main(words)
        out, err = capsys.readouterr()
        return status, out, err

    return typed


@pytest.fixture
def serve(home: Path) -> Iterator[Serve]:
    """Serve the home's control socket with results by method, or with a function."""
    with contextlib.ExitStack() as stack:

        def begin(answer: Answer | None = None, **results: Any) -> ControlServer:
            by_method = {name.replace("__", "."): value for name, value in results.items()}
            server = ControlServer(home / "run/control.sock", answer or answering(by_method))
            return stack.enter_context(server)

        yield begin
