"""Other queues beside claw, each with the same short jobs, for measurements.

Python peers and their programs are looked for in the folder that CLAW_PEERS names, then on
PATH; what is missing is left out, and said:

    python3 -m venv DIR && DIR/bin/pip install huey 'celery[redis]' apscheduler
    apt-get install task-spooler nq redis-server cron
"""

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.kit.master import MasterUnderTest
from tests.kit.peers import find

JOB = "/bin/true"
WORKERS = 8
PATIENCE_S = 120.0
_LOOK_S = 0.02
WINDOW = 64
"""Requests to claw that have no answer yet; others are asked by a process for each job."""

_HUEY = """
import subprocess, sys
from huey import SqliteHuey
huey = SqliteHuey(filename="huey.db", fsync=True)
@huey.task()
def call():
    return True
@huey.task()
def run():
    return subprocess.run([{job!r}]).returncode
def put(name, count):
    for one in [globals()[name]() for _ in range(int(count))]:
        one.get(blocking=True, timeout={patience})
if __name__ == "__main__":
    from peer import put
    put(*sys.argv[1:])
"""
_CELERY = """
import os, subprocess, sys
from celery import Celery
url = "redis+socket://" + os.path.abspath("redis.sock")
app = Celery("peer", broker=url, backend=url)
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, broker_connection_retry=True)
@app.task(name="run")
def run():
    return subprocess.run([{job!r}]).returncode
def put(count):
    for one in [run.delay() for _ in range(int(count))]:
        one.get(timeout={patience})
if __name__ == "__main__":
    from peer import put
    put(*sys.argv[1:])
"""


class MissingError(Exception):
    """What would be measured is not installed."""


def needed(*programs: str) -> list[str]:
    """Return where programs are.

    Raises:
        MissingError: One is not there.
    """
    found = []
    for one in programs:
        path = find(one)
        if path is None:
            raise MissingError(f"no {one}")
        found.append(path)
    return found


@contextlib.contextmanager
def running(*argv: str, cwd: Path) -> Iterator[None]:
    """Have a daemon run meanwhile."""
    with (cwd / "said").open("ab") as said:
        daemon = subprocess.Popen(argv, cwd=cwd, stdout=said, stderr=said)
    try:
        yield
    finally:
        daemon.terminate()
        daemon.wait()


def bare(_folder: Path, count: int) -> float:
    """Run the jobs one after the other, with nothing around them."""
    begun = time.perf_counter()
    for _ in range(count):
        pid = os.posix_spawn(JOB, [JOB], os.environ)
        os.waitpid(pid, 0)
    return time.perf_counter() - begun


def submit_many(claw: MasterUnderTest, job: str, count: int) -> list[str]:
    """Ask for so many runs of a job over one connection, and return their ids."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.connect(claw.home.control_socket)
        connection.settimeout(PATIENCE_S)
        sent, runs = 0, list[str]()
        with connection.makefile("rwb") as file:
            while len(runs) < count:
                while sent < min(count, len(runs) + WINDOW):
                    request = {"jsonrpc": "2.0", "id": sent, "method": "run.submit"}
                    request["params"] = {"job": job}
                    file.write(json.dumps(request).encode() + b"\n")
                    sent += 1
                file.flush()
                runs.append(json.loads(file.readline())["result"]["run"])
        return runs


def ask_at_once(claw: MasterUnderTest, job: str, count: int) -> None:
    """Ask for so many runs of a job by one request."""
    claw.call("run.submit_batch", job=job, runs=[{}] * count)


def wait_for_all(claw: MasterUnderTest) -> None:
    """Ask the daemon until none is open, each time what ``clawctl status --budgets`` asks."""
    while claw.call("queue.budgets")["open"]:
        time.sleep(_LOOK_S)


def _claw(ask: Callable[[MasterUnderTest, str, int], object]) -> Callable[[Path, int], float]:
    """Put them through claw: each is durable before it begins, and when it has ended."""

    def measure(folder: Path, count: int) -> float:
        made = MasterUnderTest(folder)
        made.configure(
            f'[daemon]\nmax_parallel = {WORKERS}\nmax_queue = {2 * count}\n[jobs.short]\n'
            f'argv = ["{JOB}"]\nmax_instances = {WORKERS}\non_overlap = "queue"\n'
        )  # fmt: skip
        made.start()
        try:
            begun = time.perf_counter()
            ask(made, "short", count)
            wait_for_all(made)
            return time.perf_counter() - begun
        finally:
            made.end()

    return measure


def task_spooler(folder: Path, count: int) -> float:
    """Put them through tsp, which keeps its queue in memory."""
    (tsp,) = needed("tsp")
    env = {**os.environ, "TS_SOCKET": str(folder / "socket"), "TMPDIR": str(folder)}
    env["TS_MAXFINISHED"] = "10"

    def ask(*words: str) -> None:
        subprocess.run([tsp, *words], env=env, stdout=subprocess.DEVNULL, check=True)

    ask("-S", str(WORKERS))
    try:
        begun = time.perf_counter()
        for _ in range(count):
            ask("-n", JOB)
        ask("-w")
        return time.perf_counter() - begun
    finally:
        ask("-K")


def nq(folder: Path, count: int) -> float:
    """Put them through nq: a file for each job, one after the other."""
    (program,) = needed("nq")
    env = {**os.environ, "NQDIR": str(folder)}
    begun = time.perf_counter()
    for _ in range(count):
        subprocess.run([program, "-q", JOB], env=env, check=True)
    subprocess.run([program, "-w"], env=env, check=True)
    return time.perf_counter() - begun


def _huey(task: str) -> Callable[[Path, int], float]:
    def measure(folder: Path, count: int) -> float:
        python, consumer = needed("python", "huey_consumer")
        (folder / "peer.py").write_text(_HUEY.format(job=JOB, patience=PATIENCE_S))
        words = (python, consumer, "peer.huey", "-w", str(WORKERS), "-d", "0.01", "-m", "0.02")
        with running(*words, cwd=folder):
            return _timed(python, "peer.py", task, cwd=folder, count=count)

    return measure


def celery(folder: Path, count: int) -> float:
    """Put them through celery on a redis that has each command on disk."""
    python, program, redis = needed("python", "celery", "redis-server")
    (folder / "peer.py").write_text(_CELERY.format(job=JOB, patience=PATIENCE_S))
    on_disk = ("--appendonly", "yes", "--appendfsync", "always", "--dir", str(folder))
    socket_path = str(folder / "redis.sock")
    with running(redis, "--port", "0", "--unixsocket", socket_path, *on_disk, cwd=folder):
        worker = (program, "-A", "peer", "worker", "-c", str(WORKERS), "-l", "ERROR")
        with running(*worker, "--without-gossip", "--without-mingle", cwd=folder):
            return _timed(python, "peer.py", cwd=folder, count=count)


def _timed(python: str, *words: str, cwd: Path, count: int) -> float:
    """Time how long so many take, after one that shows that all is there."""
    subprocess.run([python, *words, "1"], cwd=cwd, check=True, timeout=PATIENCE_S)
    begun = time.perf_counter()
    subprocess.run([python, *words, str(count)], cwd=cwd, check=True, timeout=PATIENCE_S)
    return time.perf_counter() - begun


QUEUES: dict[str, Callable[[Path, int], float]] = {
    "bare fork and exec": bare,
    "claw, a request each": _claw(submit_many),
    "claw, one batch": _claw(ask_at_once),
    "huey, SQLite, fsync": _huey("run"),
    "huey, a function": _huey("call"),
    "celery, redis, fsync": celery,
    "task-spooler": task_spooler,
    "nq": nq,
}
"""Each puts so many jobs through itself, and returns how many seconds that took."""
