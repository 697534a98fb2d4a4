"""Other supervisors beside claw, each with the same services, for measurements.

Python and Node peers are looked for in the folder that CLAW_PEERS names, then on PATH:

    python3 -m venv DIR && DIR/bin/pip install supervisor circus
    npm install --prefix DIR pm2
    apt-get install s6 runit
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

from claw.kernel import process

ROOT = Path(__file__).resolve().parents[2]
MARK = "MEASURED_PEER"
_SERVICES = {"sh", "sleep", "yes", "head"}  # what services are made of
_RUN = """\
#!/bin/sh
echo $$ >> "{begun}/$1"
exec sleep 3600
"""
_FLOOD = """\
#!/bin/sh
: > "{begun}/$1.at"
yes 'a line of output that is sixty-four bytes long with its newline' | head -c {count}
echo $$ >> "{begun}/$1"
exec sleep 3600
"""


class Peer:
    """One supervisor in a folder of its own.

    A service writes its pid to a file of its name in ``begun`` each time it begins, so that
    all peers are measured from the outside. One that floods makes a file ``flood.at`` when it
    begins, and writes its pid when all is written.
    """

    name: ClassVar[str]
    programs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.begun = folder / "begun"
        self.logs = folder / "logs"
        for one in (folder, self.begun, self.logs):
            one.mkdir(parents=True)
        self.environment = {**os.environ, MARK: str(folder)}
        self._script = folder / "run.sh"
        self._daemons: list[subprocess.Popen[bytes]] = []

    @classmethod
    def missing(cls) -> list[str]:
        """Return the programs that are not installed."""
        return [one for one in cls.programs if find(one) is None]

    def services(self, count: int) -> list[str]:
        """Write what the services run, and return their names."""
        self._script.write_text(_RUN.format(begun=self.begun))
        return [f"s{number:03}" for number in range(count)]

    def flood(self, count: int) -> str:
        """Write a service that floods its log with so many bytes, and return its name."""
        self._script.write_text(_FLOOD.format(begun=self.begun, count=count))
        return "flood"

    def argv(self, service: str) -> list[str]:
        """Return what a service runs."""
        return ["/bin/sh", str(self._script), service]

    def start(self, services: list[str]) -> None:
        """Start the supervisor with these services."""
        raise NotImplementedError

    def stop_all(self) -> None:
        """Have all services stopped; they may live on a while."""
        raise NotImplementedError

    def run(self, *argv: str, is_daemon: bool = False) -> None:
        """Run a program of the peer's, to its end unless it is the daemon."""
        with (self.folder / "said").open("ab") as said:
            begun = subprocess.Popen(
                [find(argv[0]) or argv[0], *argv[1:]],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=self.environment,
                cwd=self.folder, start_new_session=True,
            )  # fmt: skip
        if is_daemon:
            self._daemons.append(begun)
        else:
            begun.wait()

    # -- looking ---------------------------------------------------------------------------

    def pid_of(self, service: str) -> int:
        """Return the pid that a service wrote last."""
        return int((self.begun / service).read_text().split()[-1])

    def count_begun(self) -> int:
        """Return how many services have begun."""
        return sum(1 for _ in os.scandir(self.begun))

    def processes(self) -> list[int]:
        """Return every process of this peer, services included."""
        mark = f"{MARK}={self.folder}".encode()
        pids = (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208
        return [pid for pid in pids if mark in process.environment_of(pid)]

    def side(self) -> list[int]:
        """Return the processes of the supervisor's side."""
        return [pid for pid in self.processes() if process.command_of(pid) not in _SERVICES]

    def living(self) -> list[int]:
        """Return the services that live."""
        return [pid for pid in self.processes() if process.command_of(pid) in _SERVICES]

    def end(self) -> None:
        """Kill all that is left of it."""
        deadline = time.monotonic() + 30
        while left := [pid for pid in self.processes() if not process.is_zombie(pid)]:
            assert time.monotonic() < deadline, f"{self.name}: {left} do not end"
            for pid in left:
                process.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        for daemon in self._daemons:
            daemon.wait()


def find(program: str) -> str | None:
    """Return where a program is: in CLAW_PEERS, or on PATH."""
    folder = os.environ.get("CLAW_PEERS")
    places = [f"{folder}/bin", f"{folder}/node_modules/.bin"] if folder else []
    return shutil.which(program, path=os.pathsep.join([*places, os.environ["PATH"]]))


class Claw(Peer):
    """What all this is about."""

    name = "claw"

    def start(self, services: list[str]) -> None:
        """Start clawd."""
        self.environment |= {"CLAW_HOME": str(self.folder), "PYTHONPATH": str(ROOT)}
        config = self.folder / "config"
        config.mkdir()
        text = f'[defaults]\nenv = {{ {MARK} = "{self.folder}" }}\n'
        for one in services:
            text += f'[jobs.{one}]\ntype = "continuous"\nargv = {json.dumps(self.argv(one))}\n'
            text += 'restart = { delays = ["0s"] }\n'
        (config / "claw.toml").write_text(text)
        self.run(sys.executable, "-m", "claw", "clawd", is_daemon=True)

    def stop_all(self) -> None:
        """Stop by clawctl."""
        self.run(sys.executable, "-m", "claw", "stop", "all")


class Supervisord(Peer):
    """supervisord.org."""

    name = "supervisord"
    programs = ("supervisord", "supervisorctl")

    def start(self, services: list[str]) -> None:
        """Start supervisord."""
        text = f"""\
[unix_http_server]
file={self.folder}/sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{self.folder}/sock
[supervisord]
nodaemon=true
logfile={self.folder}/supervisord.log
pidfile={self.folder}/pid
childlogdir={self.logs}
minfds=8192
"""
        for one in services:
            text += f"[program:{one}]\ncommand={' '.join(self.argv(one))}\nstartsecs=0\n"
            text += (
                f"autorestart=true\nredirect_stderr=true\nstdout_logfile={self.logs}/{one}\n"
            )
        (self.folder / "conf").write_text(text)
        self.run("supervisord", "-c", f"{self.folder}/conf", is_daemon=True)

    def stop_all(self) -> None:
        """Stop by supervisorctl."""
        self.run("supervisorctl", "-c", f"{self.folder}/conf", "stop", "all")


class Circus(Peer):
    """circus.readthedocs.io."""

    name = "circus"
    programs = ("circusd", "circusctl")

    def start(self, services: list[str]) -> None:
        """Start circusd."""
        ends = {
            name: f"ipc://{self.folder}/{name}"
            for name in ("endpoint", "pubsub_endpoint", "stats_endpoint")
        }
        text = "[circus]\n" + "".join(f"{name} = {end}\n" for name, end in ends.items())
        for one in services:
            shell, *args = self.argv(one)
            text += f"[watcher:{one}]\ncmd = {shell}\nargs = {' '.join(args)}\n"
            text += "copy_env = True\nstdout_stream.class = FileStream\n"
            text += f"stdout_stream.filename = {self.logs}/{one}\n"
        (self.folder / "conf").write_text(text)
        self.run("circusd", f"{self.folder}/conf", is_daemon=True)

    def stop_all(self) -> None:
        """Stop by circusctl."""
        end = f"ipc://{self.folder}/endpoint"
        self.run("circusctl", "--timeout", "60", "--endpoint", end, "stop")


class _Folders(Peer):
    """Those that have a folder for each service, with a logger beside it."""

    logger: ClassVar[str]

    def write(self, services: list[str]) -> Path:
        """Write the folders and return the one that holds them."""
        scan = self.folder / "scan"
        for one in services:
            self._write_run(scan / one / "run", self.argv(one), "2>&1")
            (self.logs / one).mkdir()
            logger = [find(self.logger) or self.logger, *self.logger_arguments(one)]
            self._write_run(scan / one / "log" / "run", logger, "")
        return scan

    def logger_arguments(self, service: str) -> list[str]:
        """Return how a logger is told its folder."""
        raise NotImplementedError

    def _write_run(self, path: Path, argv: Iterable[str], redirection: str) -> None:
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\nexec {' '.join(argv)} {redirection}\n")
        path.chmod(0o755)


class S6(_Folders):
    """skarnet.org/software/s6."""

    name = "s6"
    programs = ("s6-svscan", "s6-svc", "s6-log")
    logger = "s6-log"

    def logger_arguments(self, service: str) -> list[str]:
        """Rotate as the others do."""
        return ["s50000000", f"{self.logs}/{service}"]

    def start(self, services: list[str]) -> None:
        """Start s6-svscan."""
        self.run("s6-svscan", "-c", "4000", str(self.write(services)), is_daemon=True)

    def stop_all(self) -> None:
        """Stop by s6-svc, as a script would."""
        line = f'for one in {self.folder}/scan/*; do {find("s6-svc")} -d "$one"; done'
        self.run("/bin/sh", "-c", line)


class Runit(_Folders):
    """smarden.org/runit."""

    name = "runit"
    programs = ("runsvdir", "runsv", "sv", "svlogd")
    logger = "svlogd"

    def logger_arguments(self, service: str) -> list[str]:
        """Write to a folder."""
        return [f"{self.logs}/{service}"]

    def start(self, services: list[str]) -> None:
        """Start runsvdir."""
        self.run("runsvdir", str(self.write(services)), is_daemon=True)

    def stop_all(self) -> None:
        """Stop by sv."""
        self.run("/bin/sh", "-c", f"{find('sv')} -w 60 down {self.folder}/scan/*")


class Pm2(Peer):
    """pm2.keymetrics.io."""

    name = "pm2"
    programs = ("pm2", "node")

    def start(self, services: list[str]) -> None:
        """Start all by one file."""
        self.environment["PM2_HOME"] = str(self.folder / "pm2")
        apps = [
            {
                "name": one, "script": "/bin/sh", "args": self.argv(one)[1:],
                "interpreter": "none", "out_file": f"{self.logs}/{one}",
                "error_file": f"{self.logs}/{one}.err",
            }
            for one in services
        ]  # fmt: skip
        (self.folder / "apps.json").write_text(json.dumps({"apps": apps}))
        self.run("pm2", "start", f"{self.folder}/apps.json", is_daemon=True)

    def stop_all(self) -> None:
        """Stop by pm2."""
        self.run("pm2", "stop", "all")


PEERS: tuple[Callable[[Path], Peer], ...] = (Claw, Supervisord, Circus, S6, Runit, Pm2)
"""All of them, claw first."""
