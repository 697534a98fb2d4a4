"""Other schedulers beside claw, each with the same jobs due at one time, for measurements.

See `tests.kit.queues` for where they are looked for. A job writes the time at which its program
began into a file of its own, so that all are measured alike and from the outside.
"""

import datetime as dt
import math
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.kit.master import MasterUnderTest
from tests.kit.queues import PATIENCE_S, needed, running

LEAD_S = 10.0
_JOB = '#!/bin/sh\nexec date +%s.%N > "$1/$2"\n'
_APSCHEDULER = """
import datetime, subprocess, sys, time
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.executors.pool import ThreadPoolExecutor
due, count, script, begun = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(count)})
at = datetime.datetime.fromtimestamp(due, datetime.timezone.utc)
for number in range(count):
    argv = ["/bin/sh", script, begun, str(number)]
    scheduler.add_job(subprocess.run, "date", run_date=at, args=[argv], misfire_grace_time=60)
scheduler.start()
time.sleep(600)
"""


class Jobs:
    """So many jobs that say when they began."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.count = count
        self.begun = folder / "begun"
        self.begun.mkdir()
        self.script = folder / "job.sh"
        self.script.write_text(_JOB)

    def argv(self, number: int) -> list[str]:
        """Return what a job runs."""
        return ["/bin/sh", str(self.script), str(self.begun), str(number)]

    def lateness_s(self, due: float) -> list[float]:
        """Wait for all, and return how late each began, the earliest first."""
        deadline = time.monotonic() + due - time.time() + PATIENCE_S
        while True:
            found = [path.read_text() for path in self.begun.iterdir()]
            if len(found) == self.count and all(text.endswith("\n") for text in found):
                return sorted(float(text) - due for text in found)
            assert time.monotonic() < deadline, f"{len(found)} of {self.count} have begun"
            time.sleep(0.1)


def _soon(step_s: float = 1.0) -> float:
    """Return a whole second, or minute, that is some seconds away."""
    return math.ceil((time.time() + LEAD_S) / step_s) * step_s


def bare(jobs: Jobs) -> list[float]:
    """Begin them with nothing around them, from a process for each of two processors.

    It is what the children's own start takes: nobody begins them sooner.
    """
    due = _soon()
    for part in (0, 1):
        if os.fork() == 0:
            try:
                time.sleep(max(0.0, due - time.time()))
                begun = [
                    os.posix_spawn("/bin/sh", jobs.argv(number), os.environ)
                    for number in range(part, jobs.count, 2)
                ]
                for pid in begun:
                    os.waitpid(pid, 0)
            finally:
                os._exit(0)
    found = jobs.lateness_s(due)
    for _ in (0, 1):
        os.wait()
    return found


def claw(jobs: Jobs) -> list[float]:
    """Have them run by claw: each slot has its row before its job begins."""
    due = _soon()
    at = dt.datetime.fromtimestamp(due, dt.UTC)
    made = MasterUnderTest(jobs.folder / "home")
    text = f'[daemon]\ntimezone = "UTC"\nmax_parallel = {jobs.count}\n'
    for number in range(jobs.count):
        argv = str(jobs.argv(number)).replace("'", '"')
        text += f'[jobs.j{number}]\nargv = {argv}\nschedule = "{at:%S %M %H * * *}"\n'
    made.configure(text)
    made.start()
    try:
        return jobs.lateness_s(due)
    finally:
        made.end()


def apscheduler(jobs: Jobs) -> list[float]:
    """Have them run by APScheduler, with a thread for each."""
    (python,) = needed("python")
    if subprocess.run([python, "-c", "import apscheduler"], check=False).returncode:
        return []
    due = _soon()
    (jobs.folder / "peer.py").write_text(_APSCHEDULER)
    words = (str(due), str(jobs.count), str(jobs.script), str(jobs.begun))
    with running(python, "peer.py", *words, cwd=jobs.folder):
        return jobs.lateness_s(due)


def cron(jobs: Jobs) -> list[float]:
    """Have them run by cron, in a mount namespace where its tables are only these."""
    program, unshare = needed("cron", "unshare")
    if os.geteuid():
        return []
    due = _soon(60.0)
    table = jobs.folder / "table"
    lines = [f"* * * * * root {' '.join(jobs.argv(number))}" for number in range(jobs.count)]
    table.write_text("\n".join([*lines, ""]))
    table.chmod(0o600)
    script = f"""
mount -t tmpfs none /var/spool && mkdir -p /var/spool/cron/crontabs
mkdir -p /etc/cron.d; mount -t tmpfs none /etc/cron.d; mount -t tmpfs none /run
mount -t tmpfs none /etc/pam.d
for kind in auth account session; do echo "$kind required pam_permit.so"; done > /etc/pam.d/cron
touch /etc/crontab; mount --bind {table} /etc/crontab
exec {program} -f
"""
    with running(unshare, "-m", "--kill-child", "/bin/sh", "-ec", script, cwd=jobs.folder):
        return jobs.lateness_s(due)


SCHEDULERS: dict[str, Callable[[Jobs], list[float]]] = {
    "bare start": bare,
    "claw": claw,
    "APScheduler": apscheduler,
    "cron": cron,
}
"""Each runs the jobs at one time and returns how late they began; nothing: it cannot here."""
