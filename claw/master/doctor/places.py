"""The folders of a home: whose they are, what they lie on, how much room there is."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from claw.kernel import clock, files, reading
from claw.master.doctor.case import Case
from claw.model.finding import Finding, bad, doubtful, good, unknown
from claw.model.home import Home
from claw.model.units import format_duration

_OTHERS_WRITE, _OTHERS_READ = 0o022, 0o077
_MIB = 1 << 20
_LITTLE_BYTES, _SCARCE_BYTES = 64 * _MIB, 1024 * _MIB
_LITTLE_FILES, _SCARCE_FILES = 1000, 20_000
_SLOW_S = 1.0
_LONGEST_SOCKET = 107
_SHARED = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "fuse.sshfs",
           "afs", "lustre", "virtiofs"}  # fmt: skip
_VOLATILE = {"tmpfs", "ramfs"}


def folders(case: Case) -> Iterator[Finding]:
    """Whose the folders are, and who else may write to them."""
    home, is_fine = case.home, True
    if case.known is None and not files.exists(home.state):
        yield unknown(f"no daemon has made {home.state} yet", "clawctl daemon start")
        return
    private = {"state": home.state, "log": home.log}
    for label, path in {"configuration": home.config, **private, "run": home.run}.items():
        for found in _look_at_folder(label, path, is_private=label in private):
            is_fine = False
            yield found
    for path in _open_to_others(home):
        is_fine = False
        yield doubtful(
            f"others may open {path}, would its folder let them", f"chmod go= {path}"
        )
    if is_fine:
        yield good(f"{home.state} and the other folders are the daemon's own")


def _open_to_others(home: Home) -> Iterator[str]:
    """Yield the files of the state that are for the daemon alone, and are not."""
    paths = (home.database, f"{home.database}-wal", home.secrets, home.secrets_key,
             home.token_key)  # fmt: skip
    for path in paths:
        try:
            mode = reading.facts_of(path).st_mode
        except OSError:
            continue  # there is none
        if mode & _OTHERS_READ:
            yield path


def _look_at_folder(label: str, path: str, *, is_private: bool) -> Iterator[Finding]:
    try:
        facts = reading.facts_of(path)
    except FileNotFoundError:
        yield bad(f"there is no {label} folder {path}", "clawctl init, clawctl daemon start")
        return
    mode = stat.S_IMODE(facts.st_mode)
    if not stat.S_ISDIR(facts.st_mode):
        yield bad(f"{path} is no folder", "move it away")
        return
    if facts.st_uid not in {os.geteuid(), 0}:
        yield bad(
            f"{path} belongs to uid {facts.st_uid}, the daemon runs as {os.geteuid()}",
            f"chown {os.geteuid()} {path}",
        )
    if mode & _OTHERS_WRITE and not mode & stat.S_ISVTX:
        yield bad(f"others may write to {path} (mode {mode:04o})", f"chmod go-w {path}")
    elif is_private and mode & _OTHERS_READ:
        yield doubtful(
            f"others may look into {path} (mode {mode:04o}): output and arguments are in there",
            f"chmod go-rwx {path}",
        )


def socket(case: Case) -> Iterator[Finding]:
    """The control socket: there, reachable, as it was asked for."""
    path = case.home.control_socket
    if len(os.fsencode(path)) > _LONGEST_SOCKET:
        yield bad(
            f"the path of the socket is longer than {_LONGEST_SOCKET} bytes: {path}",
            "a home with a shorter path: CLAW_HOME, --home",
        )
        return
    if case.known is None:
        yield unknown("no daemon has it open")
        return
    mode = stat.S_IMODE(reading.facts_of(path).st_mode)
    wanted = case.configuration.current.daemon.control_mode
    if mode != wanted:
        yield doubtful(
            f"{path} has mode {mode:04o}, control.mode is {wanted:04o}",
            "clawctl daemon restart",
        )
    else:
        yield good(f"{path}, mode {mode:04o}")


@dataclass(frozen=True, slots=True)
class _Mount:
    point: str
    kind: str
    options: frozenset[str]


def disks(case: Case) -> Iterator[Finding]:
    """Room for state, logs and sockets, and what they lie on."""
    told: set[int] = set()
    for label, path in (
        ("state", case.home.state),
        ("log", case.home.log),
        ("run", case.home.run),
    ):
        try:
            disk, device = os.statvfs(path), reading.facts_of(path).st_dev
        except OSError:
            continue  # `folders` has told
        if device not in told:
            told.add(device)
            yield _room(label, path, disk)
        mount = _mount_of(path)
        if mount is not None:
            yield from _kind(label, path, mount)


def _room(label: str, path: str, disk: os.statvfs_result) -> Finding:
    free, files_left = disk.f_bavail * disk.f_frsize, disk.f_favail
    text = f"{path}: {free // _MIB} MiB free"
    has_inodes = disk.f_files > 0
    if disk.f_flag & os.ST_RDONLY:
        return bad(f"{path} cannot be written: its disk is read-only", f"mount it rw: {path}")
    if free < _LITTLE_BYTES or (has_inodes and files_left < _LITTLE_FILES):
        return bad(
            f"{text}, room for {files_left} files",
            "make room; output is dropped and nothing begins on a full disk",
        )
    if (free < _SCARCE_BYTES and label != "run") or (has_inodes and files_left < _SCARCE_FILES):
        return doubtful(
            f"{text}, room for {files_left} files", "make room, or lower daemon.log_total"
        )
    return good(text)


def _kind(label: str, path: str, mount: _Mount) -> Iterator[Finding]:
    if mount.kind in _SHARED:
        yield doubtful(
            f"{path} is on {mount.kind}: locks and the database's log need a local disk",
            "keep state and run on a local disk",
        )
    elif label == "state" and mount.kind in _VOLATILE:
        yield doubtful(
            f"{path} is on {mount.kind}: history and the queue go with a reboot",
            "keep state on a disk, in a container on a volume",
        )


def _mount_of(path: str) -> _Mount | None:
    """Return what a path lies on (proc_pid_mountinfo(5))."""
    real, best = reading.real_path(path), None
    try:
        lines = files.read_all("/proc/self/mountinfo").decode(errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        left, _, right = line.partition(" - ")
        point, kind = left.split()[4].replace("\\040", " "), right.split()[0]
        is_above = real == point or real.startswith(point.rstrip("/") + "/")
        if is_above and (best is None or len(point) >= len(best.point)):
            best = _Mount(point, kind, frozenset(left.split()[5].split(",")))
    return best


def writing(case: Case) -> Iterator[Finding]:
    """Whether the state's disk locks and keeps what is written, tried on a file."""
    if not files.exists(case.home.state):
        yield unknown("there is no state folder")
        return
    path = f"{case.home.state}/.doctor-{os.getpid()}"
    began = clock.monotonic()
    try:
        files.create_exclusive(path, b"claw doctor\n")
        fd = files.open_lock(path)
        try:
            is_locked = files.try_lock(fd) and files.is_locked(path)
        finally:
            os.close(fd)
    finally:
        files.remove(path)
    took_s = clock.monotonic() - began
    if not is_locked:
        yield bad(
            f"locks do not hold on the disk of {case.home.state} (flock(2))",
            "keep state on a local disk",
        )
    elif took_s > _SLOW_S:
        yield doubtful(
            f"to write a small file durably took {format_duration(round(took_s, 1))}",
            "each start of a run waits for the disk: a faster one, or less load on it",
        )
    else:
        yield good(f"locks hold, and a durable write takes {took_s * 1000:.0f} ms")
