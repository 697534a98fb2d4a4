"""Starting a master in the background, and waiting until one answers or has ended."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import claw
from claw.cli import homes
from claw.client.connection import Connection
from claw.errors import (
    ClawError,
    ConfigError,
    ConflictError,
    RequestError,
    UnreachableError,
)
from claw.kernel import clock, files, pidfd, process
from claw.model import home as model_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from claw.model.home import Home

START_S = 30.0
"""How long a new master may take until it answers."""

_POLL_S = 0.02
_TELL_EVERY_S = 0.2
_DEAD_AFTER_S = 3.0
_PROJECT_FILE = "project.json"


class Project:
    """What an ``up`` project runs: one file's jobs, or only some of them."""

    __slots__ = ("file", "folder", "targets")

    def __init__(self, file: str, targets: Sequence[str] = ()) -> None:
        self.file = file
        self.folder = os.path.dirname(file)  # noqa: PTH120
        self.targets = tuple(targets)

    @property
    def home(self) -> Home:
        """Where its state lies."""
        return homes.of_project(self.folder)

    def save(self) -> None:
        """Keep it in its home, for who comes later; nothing there is for version control."""
        folder = Path(self.folder, homes.PROJECT_FOLDER)
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / ".gitignore").write_text("*\n", encoding="ascii")
        text = json.dumps({"file": self.file, "targets": self.targets})
        (folder / _PROJECT_FILE).write_text(text, encoding="utf-8")


def project_of(place: Home) -> Project | None:
    """Return the project of a home; None when the home is another kind."""
    folder = os.path.dirname(place.run)  # noqa: PTH120
    try:
        kept = json.loads(Path(folder, _PROJECT_FILE).read_text(encoding="utf-8"))
        return Project(kept["file"], kept["targets"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def start(place: Home) -> int:
    """Start the master of a home in the background and return its pid once it answers.

    Raises:
        ConfigError: The configuration is refused.
        ClawError: It could not start; says why.
    """
    words = [*interpreter(), "clawd", *_options(place), "-d"]
    done = subprocess.run(  # noqa: S603 - the words are our own
        words,
        cwd=_root(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        start_new_session=True,
        pass_fds=_passed(),
    )
    if done.returncode:
        raise _refusal(done.stderr.decode(errors="replace"), done.returncode)
    return await_answer(place)


def _passed() -> tuple[int, ...]:
    """Return the descriptor that the daemon is to read a passphrase from, if it is there."""
    try:
        fd = int(os.environ.get("CLAW_PASSPHRASE_FD", ""))
        os.fstat(fd)
    except (ValueError, OverflowError, OSError):
        return ()
    return (fd,)


def ask_program(place: Home, option: str, patience_s: float | None) -> tuple[str, str]:
    """Have a home's ``clawd`` do one thing and end; return what it says, and what it regrets.

    Raises:
        RequestError: It takes too long.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the words are our own
            [*interpreter(), "clawd", *_options(place), option],
            cwd=_root(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RequestError(
            f"clawd {option} has taken {patience_s} s", hint="is the disk of its home alive?"
        ) from None
    regrets = done.stderr.decode(errors="replace").strip().splitlines()
    return done.stdout.decode(errors="replace"), regrets[-1] if regrets else "it says nothing"


def await_answer(place: Home) -> int:
    """Wait until a master answers, and return its pid.

    Raises:
        ClawError: It has ended instead, or does not answer in time.
    """
    now = seen_at = clock.monotonic()
    give_up_at = now + START_S
    while now < give_up_at:
        try:
            with Connection(place.control_socket) as connection:
                connection.ask("daemon.status", {})
                return connection.pid
        except UnreachableError:
            pass
        now = clock.monotonic()
        if is_running(place):
            seen_at = now
        elif now - seen_at > _DEAD_AFTER_S:
            break
        time.sleep(_POLL_S)
    raise RequestError(
        f"the daemon did not start: {_last_words(place)}",
        hint=f"see {place.daemon_log}",
    )


def await_successor(place: Home, started_at: str) -> str:
    """Wait until the program that took the place of another answers; return its version.

    Args:
        place: The home.
        started_at: When the other one was started, as ``daemon.status`` says it.

    Raises:
        ClawError: It has ended instead, or does not answer in time.
    """
    give_up_at = clock.monotonic() + START_S
    while clock.monotonic() < give_up_at:
        await_answer(place)
        try:
            with Connection(place.control_socket) as connection:
                status = connection.ask("daemon.status", {})
        except UnreachableError:  # the old one, at its end
            continue
        if status["started_at"] != started_at:
            version: str = status["version"]
            return version
        time.sleep(_POLL_S)
    raise RequestError(
        "the old program does not make way for the new one", hint=f"see {place.daemon_log}"
    )


def running_pid(place: Home) -> int | None:
    """Return the pid of the master that holds a home; None when there is none.

    Nothing is locked to find out, not even for an instant: that could turn away a master
    that is just starting.
    """
    try:
        pid = int(files.read_all(place.master_lock))
        lock = os.stat(place.master_lock)  # noqa: PTH116
    except PermissionError:
        return _pid_at_socket(place)
    except (OSError, ValueError):
        return None
    try:
        held = os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208
    except PermissionError:  # another user's, or one that has ended and is not reaped yet
        return None if process.is_zombie(pid) else pid
    except OSError:
        return None
    return pid if any(_is_file(f"/proc/{pid}/fd/{fd}", lock) for fd in held) else None


def _pid_at_socket(place: Home) -> int | None:
    """Return the pid of the master that listens, for those who may not look at its lock."""
    try:
        with Connection(place.control_socket) as connection:
            return connection.pid
    except ClawError:
        return None


def _is_file(path: str, facts: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), facts)  # noqa: PTH116
    except OSError:  # closed meanwhile
        return False


def is_running(place: Home) -> bool:
    """Tell whether a master holds a home."""
    return running_pid(place) is not None


def await_end(pid: int, on_wait: Callable[[], None], patience_s: float | None = None) -> bool:
    """Wait until a process has ended.

    Args:
        pid: The process.
        on_wait: Called now and then while it is waited for.
        patience_s: How long at most; None: for ever.

    Returns:
        False when it lives on.
    """
    try:
        fd = pidfd.open_pid(pid)
    except ProcessLookupError:
        return True
    deadline = None if patience_s is None else clock.monotonic() + patience_s
    try:
        while deadline is None or clock.monotonic() < deadline:
            if select.select([fd], [], [], _TELL_EVERY_S)[0]:
                return True
            on_wait()
    finally:
        os.close(fd)
    return False


def living_supervisors(place: Home) -> int:
    """Count the supervisors of a home that live, with a master or without."""
    try:
        sids = os.listdir(place.spool)  # noqa: PTH208
    except OSError:
        return 0
    return sum(files.is_locked(f"{place.spool}/{sid}/lock") for sid in sids)


def interpreter() -> list[str]:
    """Return the words that run this very claw, wherever the caller stands."""
    flags = ["-P"] if os.path.basename(_root()) == "site-packages" else []  # noqa: PTH119
    return [sys.executable, *flags, "-m", "claw"]


def search_path() -> dict[str, str]:
    """Return the variable by which `interpreter` finds this very claw from any folder."""
    if os.path.basename(_root()) == "site-packages":  # noqa: PTH119
        return {}
    known = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": f"{_root()}:{known}" if known else _root()}


def _root() -> str:
    """Return the folder that the package lies in."""
    return str(Path(claw.__file__).resolve().parents[1])


def _options(place: Home) -> list[str]:
    project = project_of(place)
    folder = os.path.dirname(place.state)  # noqa: PTH120
    if project is not None:
        only = [word for target in project.targets for word in ("--only", target)]
        return ["--home", folder, "--config", project.file, *only]
    if place.config == model_home.of_system().config:
        return ["--system"]
    if place.config == f"{folder}/config":
        return ["--home", folder]
    return ["--user"]


def _refusal(said: str, status: int) -> ClawError:
    """Return what a master that would not start has said, as an error."""
    lines = said.strip().splitlines() or [f"clawd ended with status {status}"]
    if status == ConfigError.exit_status:
        return ConfigError(
            f"{len(lines)} mistakes in the configuration" if len(lines) > 1 else lines[0],
            diagnostics=tuple(lines),
        )
    return ConflictError(lines[-1].removeprefix("clawd: "))


def _last_words(place: Home) -> str:
    try:
        lines = files.read_all(place.daemon_log).decode(errors="replace").splitlines()
    except OSError:
        lines = []
    begun = [line for line in lines if line[:4].isdigit() or line.startswith('{"at"')]
    return _text_in(begun[-1]) if begun else "it left no word in its log"


def _text_in(line: str) -> str:
    """Return what a line of the log says, be it one of JSON; a traceback's are not asked."""
    try:
        return str(json.loads(line)["text"])
    except (ValueError, LookupError, TypeError):
        return line
