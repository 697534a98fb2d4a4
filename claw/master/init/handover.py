"""Puts the program that is installed now in the place of the one that runs.

The same process execs it: pid, arguments and environment stay. The lock of the home and the
listening socket are inherited, so that no other master can begin and no client is refused. The
jobs belong to their supervisors and notice nothing. Before that the new program has to find
configuration and database in order (``clawd --check``), and the database is copied.
"""

import json
import logging
import os
import subprocess
import sys
from typing import Any

import trio

import claw
from claw.errors import ClawError, ConfigError, ConflictError
from claw.kernel import clock, limits, memory
from claw.master.init.held import HeldSignals
from claw.master.init.inherited import HANDOVER, Inherited
from claw.master.reaper import Reaper
from claw.model.home import Home
from claw.store import backup

_LOG = logging.getLogger("claw.init")
_CHECK_S = 60.0


def command() -> list[str]:
    """Return the words that start this program again, as it is installed then."""
    return [sys.executable, *sys.orig_argv[1:]]


async def prepare(home: Home, inherited: Inherited, reaper: Reaper) -> str:
    """See that the new program can take over, copy the database, and return where that is.

    Raises:
        ConfigError: The new program refuses the configuration.
        ConflictError: It does not start, or refuses the database.
        StoreError: The database cannot be copied.
    """
    await _check(inherited, reaper)
    return await trio.to_thread.run_sync(
        backup.make, home.database, home.backups, clock.now(), claw.__version__
    )


async def _check(inherited: Inherited, reaper: Reaper) -> None:
    try:
        child = subprocess.Popen(  # noqa: ASYNC220, S603  as quick as the fork of it
            [*command(), "--check"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=inherited.environ,
        )
    except OSError as error:
        raise _refusal(f"it cannot be started: {error}") from error
    reaper.own(child.pid)
    _out, said = await trio.to_thread.run_sync(_communicate, child)
    lines = said.decode(errors="replace").strip().splitlines() or ["it says nothing"]
    if child.returncode == ConfigError.exit_status:
        raise ConfigError(
            f"{len(lines)} mistakes in the configuration" if len(lines) > 1 else lines[0],
            diagnostics=tuple(lines),
        )
    if child.returncode:
        raise _refusal(lines[-1].removeprefix("clawd: "))


def _communicate(child: "subprocess.Popen[bytes]") -> tuple[bytes, bytes]:
    try:
        return child.communicate(timeout=_CHECK_S)
    except subprocess.TimeoutExpired:
        child.kill()
        out, said = child.communicate()
        return out, said + b"\nit does not come to an end"


def _refusal(why: str) -> ClawError:
    return ConflictError(
        f"the new program does not take over: {why}",
        hint="nothing has changed: the old one goes on",
    )


def replace(
    inherited: Inherited, held: HeldSignals, lock_fd: int, open_files: tuple[int, int]
) -> None:
    """Exec the new program; only returns when that is impossible, and then says so.

    Args:
        inherited: What this program was started with; its door is held open.
        held: The signals that came, for the successor.
        lock_fd: The lock of the home.
        open_files: Limits of open files, as this program found them.
    """
    door, signals_fd = inherited.door, held.pour()
    handed: dict[str, Any] = {
        "pid": os.getpid(),
        "lock": lock_fd,
        "control": door.fd,
        "inode": door.inode,
        "is_foreign": door.is_foreign,
        "signals": signals_fd,
    }
    passed = [fd for fd in (lock_fd, door.fd, signals_fd) if fd >= 0]
    if inherited.passphrase:
        handed["passphrase"] = memory.shared("passphrase", inherited.passphrase)
        os.lseek(handed["passphrase"], 0, os.SEEK_SET)
        passed.append(handed["passphrase"])
    for fd in passed:
        os.set_inheritable(fd, True)
    limits.restore_open_files(open_files)
    words = command()
    try:
        os.execve(words[0], words, {**inherited.environ, HANDOVER: json.dumps(handed)})  # noqa: S606
    except OSError as error:
        _LOG.critical("cannot exec %s, the old program goes on: %s", words[0], error)
        for fd in passed:
            os.set_inheritable(fd, False)
        held.take_back(signals_fd)
        door.come_back()
        inherited.is_successor = True
