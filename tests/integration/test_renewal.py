"""``daemon restart``: the program that is installed now takes over in place."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.errors import ClawError, ConfigError, ConflictError
from claw.kernel import files
from claw.store import backup
from claw.store.migrate import MIGRATIONS
from tests.kit import programs
from tests.kit.master import PATIENCE_S, ROOT, MasterUnderTest

CONFIG = """
[jobs.web]
type = "continuous"
command = "sleep 1000"
"""


@pytest.fixture
def claw(tmp_path: Path) -> Iterator[MasterUnderTest]:
    """A master that runs from a copy of the program, which a test may upgrade or break."""
    made = MasterUnderTest(tmp_path / "home")
    made.program = programs.copy(tmp_path / "program")
    made.configure(CONFIG)
    made.start()
    made.wait_state("web", "running")
    yield made
    made.end()


def renew(claw: MasterUnderTest) -> None:
    """Have the new program take over, and wait until it answers."""
    old = claw.call("daemon.restart")
    claw.client.close()
    claw.wait_until(
        lambda: (
            claw._answers() and claw.call("daemon.status")["started_at"] != old["started_at"]
        ),
        "a successor",
    )


def upgrade(claw: MasterUnderTest, version: str) -> None:
    file = claw.program / "claw/__init__.py"
    text = file.read_text()
    old = text[text.index("__version__ = ") :].splitlines()[0]
    file.write_text(text.replace(old, f'__version__ = "{version}"'))


def test_a_new_version_keeps_pid_jobs_and_arguments(claw: MasterUnderTest) -> None:
    child = claw.job("web")["pid"]
    command_line = Path(f"/proc/{claw.pid}/cmdline").read_bytes()
    upgrade(claw, "9.8.7")

    said = claw.ctl("daemon", "restart")

    claw.client.close()
    assert "was restarted (0.1.0 to 9.8.7)" in said.splitlines()[0]
    assert claw.call("daemon.status")["version"] == "9.8.7"
    assert claw.call("daemon.status")["pid"] == claw.pid
    assert Path(f"/proc/{claw.pid}/cmdline").read_bytes() == command_line
    assert claw.job("web")["pid"] == child


def test_the_home_stays_locked_and_no_client_is_refused(claw: MasterUnderTest) -> None:
    over = threading.Event()
    looks: list[str] = []

    def look() -> None:
        while not over.is_set():
            looks.append("" if files.is_locked(claw.home.master_lock) else "unlocked")
            try:
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(claw.home.control_socket)
            except OSError as error:
                looks.append(repr(error))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        renew(claw)
        renew(claw)
    finally:
        over.set()
        looking.join()

    assert set(looks) == {""}
    assert len(looks) > 10


def test_a_program_that_does_not_start_changes_nothing(claw: MasterUnderTest) -> None:
    before = claw.call("daemon.status")
    (claw.program / "claw/model/units.py").write_text("this is no Python\n")

    with pytest.raises(ConflictError, match="SyntaxError"):
        claw.call("daemon.restart")

    assert claw.call("daemon.status")["started_at"] == before["started_at"]
    assert backup.copies(claw.home.backups) == []
    shutil.copy(ROOT / "claw/model/units.py", claw.program / "claw/model")


def test_a_configuration_that_the_new_program_refuses_changes_nothing(
    claw: MasterUnderTest,
) -> None:
    before = claw.call("daemon.status")
    claw.configure(CONFIG + "colour = 3\n")

    with pytest.raises(ConfigError) as refused:
        claw.call("daemon.restart")

    assert "jobs.web.colour" in refused.value.diagnostics[0]
    assert claw.call("daemon.status")["started_at"] == before["started_at"]
    claw.configure(CONFIG)


def test_the_answer_names_a_copy_of_the_database(claw: MasterUnderTest) -> None:
    copy = claw.call("daemon.restart")["backup"]

    backup.check_readable(copy)
    assert backup.copies(claw.home.backups) == [copy]
    claw.client.close()


def test_a_signal_that_comes_meanwhile_is_not_lost(claw: MasterUnderTest) -> None:
    claw.call("daemon.restart")
    os.kill(claw.pid, signal.SIGTERM)

    assert claw.process is not None
    assert claw.process.wait(PATIENCE_S) == 0
    claw.wait_until(lambda: not claw.leftovers(), "an end of the jobs")


def test_usr2_leaves_the_jobs_to_the_next_daemon(claw: MasterUnderTest) -> None:
    child = claw.job("web")["pid"]

    os.kill(claw.pid, signal.SIGUSR2)

    assert claw.process is not None
    assert claw.process.wait(PATIENCE_S) == 0
    claw.client.close()
    claw.start()
    assert claw.job("web")["pid"] == child


def test_what_cannot_be_executed_leaves_the_old_program_in_place(tmp_path: Path) -> None:
    script = f"""
import os, signal, socket, sys
from claw.kernel import files
from claw.master.init import handover
from claw.master.init.held import HeldSignals
from claw.master.init.inherited import Inherited

inherited = Inherited(environ=dict(os.environ))
listener = socket.socket(socket.AF_UNIX)
listener.bind({str(tmp_path / "s")!r})
inode = files.inode_at({str(tmp_path / "s")!r})
inherited.door.hold(listener, inode)
inherited.door.is_handed_over = True
lock_fd = files.open_lock({str(tmp_path / "lock")!r})
sys.executable = "/nowhere/python"
held = HeldSignals()
os.kill(os.getpid(), signal.SIGHUP)
handover.replace(inherited, held, lock_fd, (100, 100))
assert signal.sigpending() == {{signal.SIGHUP}}
assert not os.get_inheritable(lock_fd)
assert not inherited.door.is_handed_over
assert inherited.door.take(inode) is not None
"""

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, "the old program goes on" in done.stderr) == (0, True), done.stderr


def test_a_check_refuses_a_database_of_a_newer_claw(claw: MasterUnderTest) -> None:
    claw.kill()
    set_schema(claw.home.database, 99)

    said = subprocess.run(
        [sys.executable, "-m", "claw", "clawd", "--home", str(claw.folder), "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert said.returncode != 0
    assert "the database has schema 99" in said.stderr
    with pytest.raises(ClawError):
        backup.check_readable(claw.home.database)
    set_schema(claw.home.database, len(MIGRATIONS))
    claw.start()


def set_schema(path: str, version: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
