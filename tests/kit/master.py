"""A real master in a home of its own, with everything that it starts."""

import contextlib
import os
import select
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from claw.client.client import Client
from claw.errors import ClawError
from claw.kernel import files, pidfd, process
from claw.model import home as homes
from claw.wire import supervision
from tests.kit import nursery, patience

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = patience.PATIENCE_S
Json = dict[str, Any]
T = TypeVar("T")


class MasterUnderTest:
    """``clawd`` as a child process; killed, restarted and asked at will."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = ROOT  # where claw is imported from
        self.daemon: tuple[str, ...] = ("claw", "clawd")  # the module, and what it is told
        self.home = homes.at_folder(str(folder))
        (folder / "config" / "jobs.d").mkdir(parents=True, exist_ok=True)
        self.process: nursery.Process | None = None
        self.client = Client(self.home)

    # -- life --------------------------------------------------------------------------

    def configure(self, text: str, name: str = "claw.toml") -> None:
        """Write a configuration file, in place of what it held."""
        path = self.folder / "config" / name
        path.write_text(text)

    def start(self, *, wait: bool = True, extra: tuple[str, ...] = ()) -> None:
        """Start a master, and wait until it answers."""
        with (self.folder / "stderr").open("ab") as stderr:
            self.process = nursery.begin(
                [*self.daemon, "--home", str(self.folder), *extra],
                cwd=self.program,
                environ=self.environment,
                out=stderr.fileno(),
                err=stderr.fileno(),
            )
        if wait:
            self.wait_until(self._answers, "a master that answers")

    @property
    def environment(self) -> dict[str, str]:
        """What the master, and a ``clawctl`` of its home, are started with."""
        return {**os.environ, "CLAW_HOME": str(self.folder), "PYTHONPATH": str(self.program)}

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"clawd ended: {self.stderr}"
        try:
            self.client.call("daemon.status")
        except ClawError:
            return False
        return True

    @property
    def stderr(self) -> str:
        """What the master has said."""
        return (self.folder / "stderr").read_text()

    @property
    def pid(self) -> int:
        """The master's pid."""
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        """Kill the master with SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.client.close()

    def restart(self) -> None:
        """Kill the master and start another."""
        self.kill()
        self.start()

    def end(self) -> None:
        """End the master and all its jobs, however it stands with it; nothing may be left."""
        if self.process is None or self.process.poll() is not None:
            if not self.leftovers():
                self.client.close()
                return
            self.start()
        assert self.process is not None
        with contextlib.suppress(ClawError):
            self.client.call("daemon.stop", mode="stop")
        self.client.close()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"clawd does not end: {self.stderr}") from None
        while left := self._left():
            for pid in left:
                assert patience.await_end(pid), f"left are {self.leftovers()}: {self.stderr}"

    def leftovers(self) -> list[str]:
        """Return the processes that belong to this home."""
        return [f"{pid} {process.command_of(pid)}" for pid in self._left()]

    def _left(self) -> list[int]:
        mark = f"CLAW_HOME={self.folder}".encode()
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
        return [
            pid
            for pid in pids
            if pid != os.getpid()
            and mark in process.environment_of(pid)
            and not process.is_zombie(pid)
        ]

    # -- asking --------------------------------------------------------------------------

    def call(self, method: str, **params: Any) -> Any:
        """Call a method of the master."""
        return self.client.call(method, patience_s=PATIENCE_S, **params)

    def ctl(self, *words: str, status: int | None = 0) -> str:
        """Run clawctl and return its standard output; ``status`` is what it must exit with."""
        done = nursery.run(
            ["claw", *words],
            cwd=self.program,
            environ=self.environment,
            patience_s=PATIENCE_S,
        )
        if status is not None:
            assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def job(self, name: str) -> Json:
        """Return what ``status`` says of a job."""
        [job] = self.call("job.status", targets=[name])["jobs"]
        return dict(job)

    def runs(self, job: str | None = None) -> list[Json]:
        """Return all runs, oldest first."""
        found: list[Json] = []
        before: str | None = None
        while True:
            page = self.call("run.list", job=job, before=before, limit=500)
            found += page["runs"]
            before = page["next"]
            if before is None:
                return found[::-1]

    def runs_open(self) -> int:
        """Return how many runs are not over, as the database says."""
        path = f"file:{self.home.database}?mode=ro"
        with contextlib.closing(sqlite3.connect(path, uri=True)) as database:
            found = database.execute("SELECT count FROM open_runs").fetchone()
        return int(found[0])

    def submit(self, job: str, **params: Any) -> str:
        """Ask for a run and return its id."""
        return str(self.call("run.submit", job=job, **params)["run"])

    def ended(self, run: str) -> Json:
        """Wait for the end of a run and return it."""
        return dict(self.client.wait(run, "ended", PATIENCE_S))

    def wait_until(self, condition: Callable[[], T], what: str) -> T:
        """Return what a condition yields once that is true."""
        return patience.until(
            condition, lambda: f"no {what}: {self.leftovers()} {self.stderr[-3000:]}"
        )

    def wait_state(self, job: str, *states: str) -> Json:
        """Wait until a job is in one of some states and return its status."""

        def look() -> Json | None:
            found = self.job(job)
            return found if found["state"] in states else None

        found = self.wait_until(look, f"{job} {' or '.join(states)}")
        assert found is not None
        return found

    def scheduled(self, job: str) -> Json:
        """Wait until the ticker has looked at a job, and return its status with its time."""

        def look() -> Json | None:
            found = self.job(job)
            return found if found["next_at"] is not None else None

        found = self.wait_until(look, f"{job} with a next time")
        assert found is not None
        return found

    # -- looking beneath -------------------------------------------------------------------

    def supervisors(self) -> dict[str, int]:
        """Return the pid of each living supervisor by its id."""
        found = {}
        with contextlib.suppress(FileNotFoundError):
            for folder in (self.folder / "state" / "spool").iterdir():
                if not files.is_locked(str(folder / "lock")):
                    continue
                for line in journal(folder):
                    if line["ev"] in {"launch", "taken_over"}:
                        found[folder.name] = int(line["pid"])
        return found

    def journals(self) -> dict[str, list[Json]]:
        """Return every journal by supervisor id."""
        spool = self.folder / "state" / "spool"
        return {folder.name: journal(folder) for folder in sorted(spool.iterdir())}

    def output(self, name: str) -> bytes:
        """Return a log file's bytes."""
        return files.read_from(str(self.folder / "log" / name), 0)


def journal(folder: Path) -> list[Json]:
    """Return the lines of one journal; torn ones left out."""
    data = files.read_from(str(folder / "journal"), 0)
    found = [supervision.decode(line) for line in data.splitlines()]
    return [line for line in found if line is not None]


def kill_process(pid: int) -> bool:
    """Kill a process with SIGKILL and wait for its end; False when it had gone."""
    try:
        fd = pidfd.open_pid(pid)
    except ProcessLookupError:
        return False
    try:
        if not pidfd.send_signal(fd, signal.SIGKILL):
            return False
        return bool(select.select([fd], [], [], PATIENCE_S)[0])
    finally:
        os.close(fd)


@contextlib.contextmanager
def master(folder: Path, config: str) -> Iterator[MasterUnderTest]:
    """Yield a running master, and see that nothing of it is left afterwards."""
    made = MasterUnderTest(folder)
    made.configure(config)
    made.start()
    try:
        yield made
    finally:
        made.end()


StartMaster = Callable[[str], MasterUnderTest]
"""Starts a master with a configuration; the fixture of that name ends it."""
