"""Kills masters, fork servers and supervisors at random instants, under load of every kind.

Whatever is killed, one of the three that keep a run is left (`Keepers`).

What is killed when comes from a seed; what the load does beside it, too. The machine's own
timing does not, so a seed makes a failure likely to come again, not certain.
"""

import contextlib
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from claw.client.client import Client
from claw.errors import ConflictError, NotFoundError, UnreachableError
from claw.kernel import process
from claw.master.configuration import Configuration
from claw.model.job import Job
from tests.kit.keepers import Keepers
from tests.kit.ledger import Ledger
from tests.kit.master import Json, MasterUnderTest, kill_process
from tests.kit.roll import fork_server_of, supervisors_of
from tests.kit.servers import MISSING, Servers
from tests.kit.witness import Witness, printed

QUIET_S = 60.0
CRON = ("second", "even", "every", "slow", "patient", "late", "toggled")
LINES = (0, 0, 1, 50, 3000, 60_000)


@dataclass
class Acknowledged:
    """What the master has promised: these runs, each with its code and its output."""

    codes: dict[str, int] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


class Campaign:
    """One home, its load, and its killer."""

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.seed = seed
        self.claw = MasterUnderTest(folder / "home")
        self.servers = None if MISSING else Servers(folder / "servers")
        self.witness = Witness(folder)
        self.claw.configure(self._config())
        self.promised = Acknowledged()
        self.kills: list[str] = []
        self.log: list[str] = []
        self.keepers = Keepers(self.claw)
        self._over = threading.Event()
        self._failures: list[str] = []
        self._threads: list[threading.Thread] = []

    def _config(self) -> str:
        command = self.witness.command
        return f"""
[daemon]
timezone = "UTC"
max_parallel = 12
{self.servers.config if self.servers else ""}
[jobs.quick]
{command()}
max_instances = 6
[jobs.long]
{command(0, 1, 30)}
max_instances = 2
grace_period = "2s"
[jobs.flap]
type = "continuous"
{command(3, 40, 0.15)}
restart = {{ delays = ["0s", "150ms"], reset_after = "1h" }}
[jobs.switched]
type = "continuous"
{command(0, 1, 600)}
grace_period = "2s"
[jobs.second]
{command(7, 2)}
schedule = "* * * * * *"
[jobs.even]
{command(0, 100)}
schedule = ["*/2 * * * * *", "*/5 * * * * *"]
on_overlap = "queue"
max_queued = 3
[jobs.every]
{command()}
schedule = "@every 1500ms"
catch_up = "all"
on_overlap = "queue"
max_queued = 1000
[jobs.slow]
{command(0, 1, 1.4)}
schedule = "* * * * * *"
[jobs.patient]
{command(1, 1, 3)}
schedule = "*/3 * * * * *"
on_overlap = "kill_restart"
grace_period = "2s"
[jobs.late]
{command()}
schedule = "*/4 * * * * *"
catch_up = "none"
[jobs.toggled]
{command(0, 1, 0.3)}
schedule = "* * * * * *"
"""

    # -- the course of it --------------------------------------------------------------------

    def run(self, kills: int) -> None:
        """Start everything, kill so often, and let all come to rest."""
        self.claw.start()
        before = self._pids_of_servers()
        for number, work in enumerate((self._submit, self._submit, self._operate)):
            self._begin(work, random.Random(self.seed * 10 + number))
        killer = random.Random(self.seed * 10 + 9)
        while len(self.kills) < kills and not self._failures:
            self._kill_something(killer)
        self._rest()
        assert not self._failures, self._failures
        assert self._pids_of_servers() == before

    def _pids_of_servers(self) -> dict[str, int]:
        """Return who serves, when they answer; where they are not installed, nobody does."""
        if self.servers is None:
            return {}
        self.claw.wait_until(self.servers.answer, "answer of both servers")
        return {name: self.claw.wait_state(name, "running")["pid"] for name in _SERVERS}

    def close(self) -> None:
        """End everything, whatever has happened."""
        self._over.set()
        for thread in self._threads:
            thread.join(QUIET_S)
        self.keepers.close()
        self.claw.end()

    def _begin(
        self, work: Callable[[Client, random.Random], None], dice: random.Random
    ) -> None:
        def run() -> None:
            with Client(self.claw.home) as client:
                try:
                    while not self._over.is_set():
                        work(client, dice)
                except Exception as error:  # noqa: BLE001  told by the main thread
                    self._failures.append(f"{work.__name__}: {error!r}")

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _rest(self) -> None:
        """Stop the load, then wait until nothing but services is left open."""
        self._over.set()
        for thread in self._threads:
            thread.join(QUIET_S)
        if self.claw.process is None or self.claw.process.poll() is not None:
            self.claw.start()
        self.claw.wait_until(self.claw._answers, "a master that answers")
        self.claw.call("job.stop", targets=[*CRON, "flap", "switched", "long"])
        deadline = time.monotonic() + QUIET_S
        while left := self._open_runs():
            assert time.monotonic() < deadline, f"still open: {left}"
            time.sleep(0.05)

    def _open_runs(self) -> list[Json]:
        states = ("queued", "claimed", "running", "retry_wait")
        pages = (self.claw.call("run.list", state=state, limit=500) for state in states)
        return [run for page in pages for run in page["runs"] if run["job"] not in _SERVERS]

    # -- the killer ----------------------------------------------------------------------------

    def _kill_something(self, dice: random.Random) -> None:
        time.sleep(dice.choice((0.0, 0.01, 0.05, 0.2)) * dice.random() * 2)
        which = dice.random()
        self.keepers.look()
        if which < _MASTERS_SHARE:
            if self.keepers.may_kill_master:
                self._kill_master(dice)
        elif which < _MASTERS_SHARE + _FORK_SERVERS_SHARE:
            if self.keepers.may_kill_fork_server:
                self._kill_fork_server()
        elif self.keepers.may_kill_supervisors:
            self._kill_supervisors(dice)

    def _kill_fork_server(self) -> None:
        """Kill it, though it may just come up or take over from the one before."""
        pid = fork_server_of(self.claw.home)
        if pid and kill_process(pid):
            self._note("fork server")
            self.keepers.fork_server_died()

    def _note(self, what: str) -> None:
        self.kills.append(what)
        self.log.append(f"{datetime.now(UTC).isoformat()} {what}")

    def _kill_master(self, dice: random.Random) -> None:
        claw = self.claw
        assert claw.process is not None
        status = claw.process.poll()
        assert status is None, f"clawd ended by itself ({status}): {claw.stderr[-3000:]}"
        claw.kill()
        self.keepers.master_died()
        self._note("master")
        if dice.random() < _PAUSES_SHARE:
            # Jobs end and slots pass with no master; in a long pause, some are missed.
            time.sleep(dice.random() * 2.5 if dice.random() < _SHORT_SHARE else 7)
        claw.start(wait=False)
        if dice.random() < _STARTS_SHARE:
            time.sleep(dice.random() * 0.8)  # the next kill may hit it while it starts
        else:
            claw.wait_until(claw._answers, "a master that answers")
            time.sleep(dice.random() * 0.4)

    def _kill_supervisors(self, dice: random.Random) -> None:
        """Kill one or several, rather young ones: services' are old, and many are not."""
        home = self.claw.home
        is_whole = self.keepers.is_fork_server_whole
        found = sorted((supervisors_of(home) if is_whole else self.claw.supervisors()).items())
        for _ in range(dice.choice((1, 1, 1, 2, 4))):
            if not found:
                return
            place = -1 if dice.random() < _YOUNG_SHARE else dice.randrange(len(found))
            sid, pid = found.pop(place)
            if process.command_of(pid).startswith("claw") and kill_process(pid):
                self._note(f"supervisor {sid}")
                self.keepers.supervisor_died()
            if is_whole and dice.random() < _AGAIN_SHARE:  # and its replacement, as it begins
                pid = supervisors_of(self.claw.home).get(sid, 0)
                time.sleep(dice.random() * 0.004)
                if pid and process.command_of(pid).startswith("claw") and kill_process(pid):
                    self._note(f"replacement {sid}")

    # -- the load --------------------------------------------------------------

    def _submit(self, client: Client, dice: random.Random) -> None:
        """Ask for a short run with a code and output of its own, until it is promised."""
        time.sleep(dice.random() * 0.3)
        code, lines = dice.randrange(120), dice.choice(LINES)
        seconds = dice.choice(("0", "0", "0.02", "0.2"))
        request = f"{dice.getrandbits(64):x}"
        while not self._over.is_set():
            try:
                answer = client.call(
                    "run.submit",
                    job="quick",
                    args=[str(code), str(lines), seconds],
                    request_id=request,
                )
            except UnreachableError:
                if dice.random() < _FORSAKEN_SHARE:
                    return  # it may be a run or not: nothing was promised
                time.sleep(0.02)
            else:
                self.promised.codes[answer["run"]] = code
                self.promised.lines[answer["run"]] = lines
                return

    def _operate(self, client: Client, dice: random.Random) -> None:
        """Do what operators do, to jobs that are there to bear it."""
        time.sleep(dice.random() * 0.5)
        method, job = dice.choice(_ACTS)
        with contextlib.suppress(UnreachableError, ConflictError, NotFoundError):
            if method == "run.submit":
                client.call(method, job=job)
            else:
                client.call(method, targets=[job])

    # -- what must be true --------------------------------------------------------

    def wrongs(self) -> list[str]:
        """Return everything that is wrong, now that all is at rest."""
        ledger = Ledger(self.claw, self.witness.lines())
        ledger.plural = frozenset({"quick", "long"})
        jobs = [job for job in self._jobs() if job.name in CRON]
        found = [*ledger.wrongs(), *ledger.wrong_slots(jobs), *self._broken_promises(ledger)]
        found += self._wrong_output(ledger)
        found += self._leaks()
        return found

    def _jobs(self) -> tuple[Job, ...]:
        return Configuration(self.claw.home.config).load().jobs

    def _broken_promises(self, ledger: Ledger) -> list[str]:
        found = []
        for run_id, code in self.promised.codes.items():
            run = ledger.runs.get(run_id)
            times = sum(n for (run, _), n in ledger.said.items() if run == run_id)
            if run is None or times != 1 or run.exit_code != code:
                found.append(f"promised {run_id} with code {code}, ran {times} times: {run}")
        return found

    def _wrong_output(self, ledger: Ledger) -> list[str]:
        found = []
        for run_id, lines in self.promised.lines.items():
            output = self.claw.output(f"quick/{run_id}.out")
            if output != printed(lines):
                found.append(f"{run_id} printed {lines} lines, {len(output)} bytes are there")
        attempts = sum(line["run"] in _of(ledger, "flap") for _, line in ledger.lines("exited"))
        killed = sum(
            line["signal"] is not None and line["run"] in _of(ledger, "flap")
            for _, line in ledger.lines("exited")
        )
        whole = self.claw.output("flap/out.log").count(printed(40)[2:])
        if not attempts - killed <= whole <= attempts:
            found.append(f"flap ended {attempts} times and printed {whole} times")
        return found

    def _leaks(self) -> list[str]:
        """Return what the fork server has kept of those that are gone."""
        pid = self.claw.call("daemon.status")["fork_server_pid"]
        wards = len(supervisors_of(self.claw.home))
        fds = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        zombies = [one for one in process.children_of(pid) if process.is_zombie(one)]
        found = [f"the fork server keeps zombies: {zombies}"] if zombies else []
        if fds > 20 + 8 * wards:
            found.append(f"the fork server has {fds} descriptors for {wards} supervisors")
        return found


def _of(ledger: Ledger, job: str) -> set[str]:
    return {run.id for run in ledger.runs.values() if run.job == job}


_SERVERS = ("redis", "nginx")
_MASTERS_SHARE = 0.35
_FORK_SERVERS_SHARE = 0.3
_PAUSES_SHARE = 0.15
_SHORT_SHARE = 0.8
_STARTS_SHARE = 0.35
_YOUNG_SHARE = 0.6
_AGAIN_SHARE = 0.3
_FORSAKEN_SHARE = 0.1
_ACTS = (
    ("job.start", "switched"), ("job.stop", "switched"), ("job.restart", "switched"),
    ("job.restart", "switched"), ("job.start", "switched"), ("job.restart", "flap"),
    ("job.stop", "flap"), ("job.start", "flap"), ("job.start", "flap"),
    ("job.stop", "toggled"), ("job.start", "toggled"), ("job.pause", "toggled"),
    ("job.resume", "toggled"), ("job.start", "toggled"), ("run.submit", "long"),
    ("run.submit", "long"), ("run.cancel", "long"), ("run.cancel", "long"),
)  # fmt: skip
