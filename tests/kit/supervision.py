"""A real fork server with real supervisors, driven without a master."""

import contextlib
import json
import os
import secrets
import select
import signal
import socket as sockets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from claw.kernel import files, pidfd, process, socket
from claw.master.supervision import keeping
from claw.wire import supervision
from claw.wire.supervision import Ladder, Launch
from tests.kit import patience
from tests.kit.master import journal

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0
Line = dict[str, Any]


class Bench:
    """A home folder with a fork server in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        for name in ("run", "state/spool", "state/launch", "log"):
            (home / name).mkdir(parents=True)
        self.path = str(home / "run/forkserver.sock")
        self.kept: dict[str, keeping.Kept] = {}  # as a master would
        self.count = 0
        self._start()

    def _start(self) -> None:
        server = socket.listen_unix(self.path)
        code = (
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
            "from claw.supervisor.forkserver import main; main()"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", code, str(server.fileno()), self.path, "1024"],
            pass_fds=[server.fileno()],
            stdin=subprocess.DEVNULL,
        )
        server.close()
        self.connection = socket.connect_unix(self.path)
        self.file = self.connection.makefile("rb")

    def renew(self) -> None:
        """Kill the fork server and start another."""
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.file.close()
        self.connection.close()
        self._start()

    def give(self, one: "Supervised") -> None:
        """Give a new fork server the copies of a run that a master would have."""
        kept = self.kept[one.sid]
        answer = self.ask(
            *kept.values(), op="foster", sid=one.sid, spool=str(one.spool), names=[*kept]
        )
        assert "error" not in answer, answer

    def ask(self, *fds: int, **message: object) -> Line:
        self.count += 1
        data = supervision.encode({"id": self.count, **message})
        assert self.connection.sendmsg([data], socket.rights(*fds)) == len(data)
        while True:
            answer: Line = json.loads(self.file.readline())
            if answer.get("id") == self.count:
                return answer

    def launch(self, argv: list[str], **changes: Any) -> "Supervised":
        number = len(list((self.home / "state/spool").iterdir())) + 1
        sid = f"s{number:026}"
        run = changes.pop("run", f"r{secrets.token_hex(13)}")
        values: dict[str, Any] = {
            "sid": sid, "run": run, "attempt": 1, "job": "job", "cause": "start",
            "origin": "manual", "origin_key": "k", "slot": None, "argv": argv,
            "cwd": str(self.home),
            "env": {"PATH": os.environ["PATH"], "CLAW_RUN_ID": run},
            "umask": 0o022, "success_codes": [0], "timeout_s": 0.0, "stop_signal": 15,
            "grace_s": 10.0, "kill_mode": "tree", "restart": None,
            "out_path": str(self.home / f"log/{run}.out"),
            "err_path": str(self.home / f"log/{run}.err"), "stderr": "merge",
            "log_mode": 0o640, "spool": str(self.home / "state/spool" / sid),
            "run_dir": str(self.home / "run/sup" / sid),
            "launch_dir": str(self.home / "state/launch"), "heartbeat_s": 30.0,
        }  # fmt: skip
        launch = Launch(**{**values, **changes})
        if launch.hears:
            launch.env["NOTIFY_SOCKET"] = f"@claw/test/{self.home.stat().st_ino}/{sid}"
        if launch.watchdog_s:
            launch.env["WATCHDOG_USEC"] = str(int(launch.watchdog_s * 1e6))
        kept = keeping.make_kept(launch, {})
        ours, theirs = socket.pair()
        answer = self.ask(
            *kept.values(),
            theirs.fileno(),
            op="launch",
            sid=sid,
            run=run,
            attempt=launch.attempt,
            spool=launch.spool,
            launch_dir=launch.launch_dir,
            names=[*kept, supervision.LINK],
        )
        self.kept[sid] = kept
        theirs.close()
        ours.close()
        assert "pid" in answer, answer
        return Supervised(self, launch, answer["pid"])

    def close(self) -> None:
        """End every supervisor that is left, then let the fork server go."""
        deadline = time.monotonic() + PATIENCE_S
        while sids := self.ask(op="hello")["supervisors"]:
            assert time.monotonic() < deadline, f"supervisors left: {sids}"
            for sid in sids:
                with contextlib.suppress(OSError):
                    Supervised(self, None, 0, sid=sid).tell_once(
                        op="stop", why="stop", by="test", grace_s=0.0
                    )
            time.sleep(0.005)
        for kept in self.kept.values():
            keeping.close(kept)
        self.connection.shutdown(sockets.SHUT_RDWR)
        self.file.close()
        self.connection.close()
        self.process.wait(PATIENCE_S)


class Supervised:
    """One supervisor under test, seen through its journal, its socket and the kernel."""

    def __init__(self, bench: Bench, launch: Launch | None, pid: int, *, sid: str = "") -> None:
        self.bench = bench
        self.launch = launch
        self.first_pid = pid
        self.sid = sid or (launch.sid if launch else "")
        self.spool = bench.home / "state/spool" / self.sid

    @property
    def pid(self) -> int:
        """The supervisor's pid just now (it changes when it is replaced)."""
        return int(self.bench.ask(op="find", sid=self.sid)["pid"] or 0)

    def lines(self) -> list[Line]:
        """Return what the journal holds; torn lines left out."""
        return journal(self.spool)

    def of(self, ev: str) -> list[Line]:
        return [line for line in self.lines() if line["ev"] == ev]

    def wait_for(self, ev: str, count: int = 1) -> Line:
        """Return the count-th line of that event, waiting for it."""
        found = self.wait_until(lambda: self.of(ev)[count - 1 : count], f"{count} {ev}")
        line: Line = found[0]
        return line

    def wait_until(self, condition: Any, what: str = "condition") -> Any:
        return patience.until(condition, lambda: f"no {what}: {self.lines()}")

    def tell(self, **message: object) -> Line:
        """Ask the supervisor something over its own socket, as soon as it listens."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.tell_once(**message)
            except OSError:
                assert time.monotonic() < deadline, "the supervisor does not answer"
                time.sleep(0.002)

    def tell_once(self, **message: object) -> Line:
        """Ask the supervisor something; OSError when it is not there, or goes away."""
        path = str(self.bench.home / "run/sup" / self.sid / "control.sock")
        with contextlib.closing(socket.connect_unix(path)) as connection:
            connection.settimeout(PATIENCE_S)
            connection.sendall(supervision.encode({"id": 1, **message}))
            with connection.makefile("rb") as file:
                for line in file:
                    answer: Line = json.loads(line)
                    if answer.get("id") == 1:
                        return answer
        raise ConnectionResetError("no answer")

    def tell_all(self, message: Line, *, until: str) -> Line:
        """Send something that has no answer, and return the notice that it leads to."""
        path = str(self.bench.home / "run/sup" / self.sid / "control.sock")
        self.tell(op="hello")  # it listens
        with contextlib.closing(socket.connect_unix(path)) as connection:
            connection.settimeout(PATIENCE_S)
            connection.sendall(supervision.encode(message))
            with connection.makefile("rb") as file:
                for line in file:
                    notice: Line = json.loads(line)
                    if notice.get("ev") == until:
                        return notice
        raise ConnectionResetError("no notice")

    def kill(self) -> None:
        """Kill the supervisor with SIGKILL and wait until it is dead."""
        while True:
            pid = self.wait_until(lambda: self.pid, "supervisor")
            with contextlib.suppress(ProcessLookupError):  # one whose end is not noticed yet
                fd = pidfd.open_pid(pid)
                break
        try:
            assert process.kill(pid, signal.SIGKILL)
            assert select.select([fd], [], [], PATIENCE_S)[0]
        finally:
            os.close(fd)

    def hand(self) -> None:
        """Have it hand what it has to the fork server that is there now."""
        pid = int(self.tell(op="hello")["pid"])
        self.tell(op="hand", path=self.bench.path)
        self.wait_until(lambda: self.pid == pid, "fostering")

    def output(self) -> bytes:
        assert self.launch is not None
        return files.read_from(self.launch.out_path, 0)


def ladder(**changes: Any) -> Ladder:
    """Return a restart policy: always, at once, without jitter."""
    values = {
        "policy": "always", "delays_s": [0.0], "jitter": 0.0, "reset_after_s": 60.0,
        "start_limit": 0, "start_limit_window_s": 60.0,
    }  # fmt: skip
    return Ladder(**{**values, **changes})


@contextlib.contextmanager
def bench(home: Path) -> Iterator[Bench]:
    """Yield a bench, and leave nothing of it behind."""
    made = Bench(home)
    try:
        yield made
    finally:
        made.close()
