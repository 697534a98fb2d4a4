"""A real systemd as PID 1 of a container that shares this machine's /usr.

systemd-nspawn boots it in less than a second; /etc and /var are empty and go with it. Nothing
is registered with the machine's own init system, whatever that is.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from claw.kernel import process
from tests.kit.master import PATIENCE_S, ROOT

T = TypeVar("T")
BIN = Path(sys.executable).parent
CLAWCTL = str(BIN / "clawctl")
_SYSTEMD = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")
_BOOT = """
mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd &&
exec systemd-nspawn --quiet --register=no --keep-unit --console=pipe --private-network \
    -D / --volatile=yes "$@" \
    -b systemd.unit=basic.target systemd.mask=tmp.mount systemd.mask=systemd-firstboot.service
"""


def why_not() -> str:
    """Return why no systemd can be booted here; '' when one can."""
    if os.geteuid() != 0:
        return "a container needs root"
    missing = [
        name for name in ("systemd-nspawn", "unshare", "nsenter") if not shutil.which(name)
    ]
    if not any(os.path.exists(path) for path in _SYSTEMD):  # noqa: PTH110
        missing.append("systemd")
    if not (BIN / "clawd").exists():
        missing.append("an installed clawd")
    return f"not installed: {', '.join(missing)}" if missing else ""


needs_systemd = pytest.mark.skipif(bool(why_not()), reason=why_not())


class Booted:
    """A running systemd; commands are run beneath it."""

    def __init__(self, log: Path) -> None:
        seen = sorted({str(ROOT), sys.prefix, sys.base_prefix})
        binds = [f"--bind-ro={path}" for path in seen if not path.startswith("/usr")]
        boot = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _BOOT, "sh"]
        with log.open("wb") as said:
            self._outer = subprocess.Popen(
                [*boot, *binds],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip
        self._log = log
        self.pid = 0

    def await_boot(self) -> None:
        """Wait until systemctl is answered."""

        def has_booted() -> bool:
            assert self._outer.poll() is None, self._log.read_text(errors="replace")
            self.pid = next(iter(process.children_of(self._outer.pid)), 0)
            shown = self.run("systemctl", "is-system-running", status=None) if self.pid else ""
            return shown.strip() in ("running", "degraded")

        self.wait_until(has_booted, "systemd that has booted")

    def run(self, *words: str, status: int | None = 0) -> str:
        """Run a command there and return its output; ``status`` is what it must exit with."""
        done = subprocess.run(
            ["nsenter", "-t", str(self.pid), "--all", "env", "-i", *_ENVIRONMENT, *words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=2 * PATIENCE_S, cwd="/",
        )  # fmt: skip
        assert status is None or done.returncode == status, (words, done.stdout, done.stderr)
        return done.stdout

    def write(self, path: str, text: str) -> None:
        """Write a file in there."""
        self.run(
            "sh", "-c", 'mkdir -p "$(dirname "$1")" && printf %s "$2" >"$1"', "sh", path, text
        )

    def show(self, unit: str, name: str) -> str:
        """Return a property of a unit."""
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def wait_until(self, condition: Callable[[], T], what: str) -> T:
        """Return what a condition yields once that is true."""
        deadline = time.monotonic() + 2 * PATIENCE_S
        while not (found := condition()):
            assert time.monotonic() < deadline, f"no {what}: {self.journal()}"
            time.sleep(0.02)
        return found

    def journal(self, *options: str) -> str:
        """Return what the journal holds of claw."""
        if not self.pid:
            return self._log.read_text(errors="replace")
        return self.run("journalctl", "--no-pager", "-u", "claw.service", *options, status=None)

    def end(self) -> None:
        """Power off; what does not, is killed."""
        if self.pid:
            process.kill(self.pid, signal.SIGRTMIN + 4)
        try:
            self._outer.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            if self.pid:
                process.kill(self.pid, signal.SIGKILL)
            self._outer.kill()
            self._outer.wait()


_ENVIRONMENT = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
)


@contextlib.contextmanager
def booted(folder: Path) -> Iterator[Booted]:
    """Yield a systemd that has booted, and end it."""
    made = Booted(folder / "console")
    try:
        made.await_boot()
        yield made
    finally:
        made.end()
