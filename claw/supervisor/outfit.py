"""What a forked child puts on before it execs: rights, limits, surroundings.

Only children run this, so that it costs a supervisor nothing. Each generator yields the name
of a step before it takes it; a step that fails raises, and the name says which one it was.
"""

from claw.kernel import cgroup, files, limits, process
from claw.kernel.bare import os
from claw.supervisor import envfile
from claw.wire.supervision import Launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def environment(launch: Launch) -> "dict[str, str]":
    """Return the whole environment, with what ``env_file`` says now.

    Root reads it for another user only if nobody else has had a say in what it is: else that
    user would choose one of root's files by a link, and be shown it.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line in it is none.
    """
    path, identity = launch.env_file, launch.identity
    if not path:
        return launch.env
    if identity and identity[0] and not os.geteuid() and not files.is_roots_own(path):
        found = _read_as(path, *identity)
    else:
        found = envfile.read(path)
    return {**launch.env_beneath, **found, **launch.env}


def _read_as(path: str, uid: int, gid: int, groups: "list[int]") -> "dict[str, str]":
    """Read a file with the rights of a user, which are taken on for good later."""
    os.setgroups(groups)
    os.setegid(gid)
    os.seteuid(uid)
    try:
        return envfile.read(path)
    finally:
        os.seteuid(os.getuid())
        os.setegid(os.getgid())


def join_groups(launch: Launch) -> None:
    """Make the control groups of the run, and move into them.

    Raises:
        OSError: A limit cannot be set so; a group that has none is done without.
    """
    for folder, settings in launch.cgroups.items():
        try:
            cgroup.make(folder, settings)
            cgroup.join(folder)
        except OSError:
            if settings:
                raise


def put_on(launch: Launch, open_files: "tuple[int, int]") -> "Iterator[str]":
    """Take on limits and user; what needs root comes first."""
    limits.restore_open_files(open_files)
    for name, (soft, hard) in launch.limits.items():
        yield f"limits: {name}"
        limits.set_limit(name, soft, hard)
    if launch.nice is not None:
        yield f"nice {launch.nice}"
        process.set_nice(launch.nice)
    yield "oom_score_adj"
    process.set_oom_score(launch.oom_score_adj)
    if launch.identity is not None:
        yield from _become(*launch.identity)
    if launch.no_new_privs:
        yield "no_new_privs"
        process.refuse_privileges()
    yield "umask"
    os.umask(launch.umask)


def _become(uid: int, gid: int, groups: "list[int]") -> "Iterator[str]":
    """Become another user for good; without the right to, being that user is enough."""
    mine = (uid, gid) == (os.getuid(), os.getgid()) == (os.geteuid(), os.getegid())
    if mine and os.geteuid():
        return
    yield "setgroups"
    os.setgroups(groups)
    yield "setgid"
    os.setresgid(gid, gid, gid)
    yield "setuid"
    os.setresuid(uid, uid, uid)
    yield "check of the user"
    process.check_identity(uid, gid, groups)


def execute(argv: "list[str]", env: "dict[str, str]") -> None:
    """Become the program.

    Raises:
        OSError: Why it cannot be executed, with its name.
    """
    try:
        process.execute(argv, env)
    except OSError as error:
        text = error.strerror or str(error)
        raise OSError(error.errno, f"{text}: {argv[0]!r}") from error


def enter(launch: Launch) -> bool:
    """Go to the job's folder; False: it is a home that cannot be entered, and this is ``/``.

    Raises:
        OSError: It is a folder that the job names.
    """
    try:
        os.chdir(launch.cwd)
    except OSError:
        if not launch.cwd_or_root:
            raise
        os.chdir("/")
        return False
    return True
