"""``clawd``: options, locks and folders; then `claw.master.app`."""

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import trio

import claw
from claw.commands.clawd import OPTIONS
from claw.errors import BUG_EXIT_STATUS, ClawError, ConfigError, StoreError, StoreLockedError
from claw.kernel import clock, files, process, signals
from claw.master import daemonlog
from claw.master.app import App
from claw.master.backup import offline, restoring
from claw.master.configuration import Configuration
from claw.master.doctor import registry
from claw.master.doctor.case import Case
from claw.master.init import background, handover, held, passphrase
from claw.master.init import inherited as startup
from claw.master.init.background import Starter
from claw.master.init.held import HeldSignals
from claw.master.init.inherited import Inherited
from claw.master.init.notify import Notifier
from claw.model import home as homes
from claw.model.home import Home
from claw.model.job import Daemon
from claw.store import backup

_PRIVATE = 0o700
_LOCK_PATIENCE_S = 5.0
_LOCK_POLL_S = 0.02


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon; return its exit status."""
    options = _parser().parse_args(argv)
    try:
        return _run(options)
    except ClawError as error:
        sys.stderr.write(f"{_words_of(error)}\n")
        return error.exit_status


def _words_of(error: ClawError) -> str:
    if isinstance(error, ConfigError):
        return "\n".join(error.diagnostics) or error.message
    return f"clawd: {error.message}{f': {error.hint}' if error.hint else ''}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="clawd",
        description="The daemon of claw: supervises services and scheduled jobs.",
        add_help=False,
    )
    for one in OPTIONS:
        settings: dict[str, Any] = {"help": one.help}
        if one.name == "version":
            settings |= {"action": "version", "version": f"clawd {claw.__version__}"}
        elif one.name == "help":
            settings["action"] = "help"
        elif one.kind is None:
            settings["action"] = "store_true"
        else:
            settings |= {"metavar": one.metavar, "type": one.kind.parse}
        if one.is_many:
            settings |= {"action": "append", "default": []}
        parser.add_argument(*one.flags, **settings)
    return parser


def _run(options: argparse.Namespace) -> int:
    inherited = startup.take(os.environ, os.getpid())
    home = _home_of(options)
    configuration = _configuration_of(options, home)
    if options.doctor:
        sys.stdout.write(f"{json.dumps(_looked(home, configuration))}\n")
        return 0
    if options.backup is not None:
        sys.stdout.buffer.write(_backed_up(home, configuration, options.backup))
        return 0
    restoring.check_whole(home)
    configuration.current = configuration.load()
    if options.check:
        backup.check_readable(home.database)
        sys.stdout.write(f"{len(configuration.current.jobs)} jobs, no mistakes\n")
        return 0
    _make_folders(home)
    lock_fd = _inherited_lock(home, inherited) or _take_lock(home)
    try:
        _take_passphrase(home, inherited)
        signals.block()  # until they can be acted upon; PID 1 would not even get them
        is_detached = options.detach and not inherited.is_successor
        starter = background.detach(home.daemon_log) if is_detached else Starter()
        try:
            return _run_master(options, home, configuration, inherited, lock_fd, starter)
        except ClawError as error:
            starter.fails(_words_of(error))
            raise
    finally:
        os.close(lock_fd)


def _take_passphrase(home: Home, inherited: Inherited) -> None:
    if not inherited.passphrase:  # of a predecessor
        given = passphrase.given(inherited.passphrase_fd)
        inherited.passphrase = given or passphrase.ask(home)


def _run_master(
    options: argparse.Namespace,
    home: Home,
    configuration: Configuration,
    inherited: Inherited,
    lock_fd: int,
    starter: Starter,
) -> int:
    """Run the master, and the new program in its place when that is asked for."""
    os.ftruncate(lock_fd, 0)
    os.pwrite(lock_fd, f"{os.getpid()}\n".encode(), 0)
    daemon = configuration.current.daemon
    _begin_log(home, daemon, inherited, on_terminal=not options.detach)
    os.umask(daemon.umask)
    process.set_name("clawd")
    ready_fd = None if inherited.is_successor else options.notify_fd  # told once, and closed
    notifier = Notifier(inherited.notify_socket, ready_fd, starter)
    held.raise_again(inherited.signals)
    while True:
        app = App(home, configuration, inherited, notifier, HeldSignals())
        status = _serve(app, notifier)
        if status is not None:
            return status
        handover.replace(inherited, app.held, lock_fd, app.open_files)


def _looked(home: Home, configuration: Configuration) -> dict[str, object]:
    """Return what can be found out about a home without running it."""
    with contextlib.suppress(ClawError):  # the checks tell what is wrong with it
        configuration.current = configuration.load()
    case = Case(home=home, configuration=configuration, now=clock.now(), known=None)
    return registry.shown(registry.look(case))


def _backed_up(home: Home, configuration: Configuration, asked: Any) -> bytes:
    """Return the answer to what is asked about backups, while no master is there."""
    with contextlib.suppress(ClawError):  # a home may be restored whatever state it is in
        configuration.current = configuration.load()
    return offline.answer(home, configuration, asked, partial(_lock_for, home))


@contextlib.contextmanager
def _lock_for(home: Home) -> Iterator[None]:
    _make_folders(home)
    lock_fd = _take_lock(home)
    try:
        yield
    finally:
        os.close(lock_fd)


def _home_of(options: argparse.Namespace) -> Home:
    if options.home:
        return homes.at_folder(str(Path(options.home).resolve()))
    if options.system:
        return homes.of_system()
    if options.user:
        return homes.of_user(os.environ)
    return homes.choose(os.environ, os.geteuid())


def _configuration_of(options: argparse.Namespace, home: Home) -> Configuration:
    if not options.config:
        return Configuration(home.config, only=options.only)
    file = Path(options.config).resolve()
    return Configuration(str(file), project_dir=str(file.parent), only=options.only)


def _make_folders(home: Home) -> None:
    for folder in (home.state, home.run, home.log, home.spool, home.launches):
        try:
            files.make_folder(folder, _PRIVATE)
        except OSError as error:
            is_nowhere = isinstance(error, FileNotFoundError)
            raise StoreError(
                f"cannot make {folder!r}: {error.strerror}",
                hint="see whether a link above it leads to what is not there or not mounted"
                if is_nowhere
                else "see that its disk has room and can be written",
            ) from error
        if not files.is_folder(folder):
            raise StoreError(
                f"{folder!r} is no folder", hint="move it away: the daemon makes a folder there"
            )


def _begin_log(home: Home, daemon: Daemon, inherited: Inherited, *, on_terminal: bool) -> None:
    try:
        daemonlog.begin(
            home.daemon_log,
            level=daemon.log_level,
            on_terminal=on_terminal,
            journal=inherited.journal,
            form=daemon.log_format,
        )
    except OSError as error:
        raise StoreError(
            f"cannot write the log {home.daemon_log!r}: {error.strerror}",
            hint="see that its folder is the daemon's own and its disk has room",
        ) from error


def _inherited_lock(home: Home, inherited: Inherited) -> int | None:
    """Return the lock that a predecessor held and holds on, if it is this home's."""
    fd = inherited.lock_fd
    if fd is None or files.inode_at(home.master_lock) != files.inode_of(fd):
        return None
    return fd if files.try_lock(fd) else None


def _take_lock(home: Home) -> int:
    """Hold the home for as long as this process lives.

    Of one that was killed, a process that it was just forking holds the lock until it execs:
    that is waited for.

    Raises:
        StoreLockedError: Another master has it; names its pid.
    """
    fd = files.open_lock(home.master_lock)
    deadline = clock.monotonic() + _LOCK_PATIENCE_S
    while not files.try_lock(fd):
        pid = files.read_from(home.master_lock, 0).decode().strip()
        if _is_master(pid) or clock.monotonic() >= deadline:
            raise StoreLockedError(
                f"another clawd (pid {pid}) runs this home, {home.state}",
                hint="clawctl daemon status",
            )
        time.sleep(_LOCK_POLL_S)
    return fd


def _is_master(pid: str) -> bool:
    """Tell whether a process is a clawd that lives; one that is being killed has no memory."""
    number = int(pid) if pid.isdecimal() else 0
    return process.command_of(number) == "clawd" and process.environment_of(number) != []


def _serve(app: App, notifier: Notifier) -> int | None:
    """Run the master; what ends it against its will is said where it can be read.

    Returns:
        The exit status; None: the new program is to take over.
    """
    try:
        trio.run(app.run)
    except BaseExceptionGroup as group:
        return _last_words(group, notifier)
    except ClawError as error:
        return _last_words(BaseExceptionGroup("", [error]), notifier)
    return app.exit_status


def _last_words(group: BaseExceptionGroup[BaseException], notifier: Notifier) -> int:
    others = group.split(ClawError)[1]
    error = _first_leaf(others or group)
    is_foreseen = isinstance(error, ClawError)
    daemonlog.say_fatal(error if is_foreseen else others or group, is_foreseen=is_foreseen)
    notifier.failed(
        _words_of(error)
        if isinstance(error, ClawError)
        else f"clawd: {error!r}: clawctl daemon logs"
    )
    return 1 if is_foreseen else BUG_EXIT_STATUS


def _first_leaf(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    sys.exit(main())
