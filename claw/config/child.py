"""What `claw.config.keys.child` says of a job, judged as a whole and made into values."""

from collections.abc import Callable, Iterator

from claw.config.check import Values
from claw.config.command import argv_of
from claw.config.fields import JobKeys
from claw.config.keys.child import ResourceKeys
from claw.config.keys.log import LogKeys
from claw.config.kinds import nearest, show
from claw.config.locate import Path
from claw.config.table import Field
from claw.kernel import accounts, limits
from claw.model.job import Resources, Stderr, Stdin

Fault = tuple[Path, str]
_make_resources: Callable[..., Resources] = Resources

AS_THEY_ARE: tuple[Field[object], ...] = tuple(
    field  # type: ignore[misc]
    for field in (
        JobKeys.env_file,
        JobKeys.user,
        JobKeys.group,
        JobKeys.nice,
        JobKeys.limits,
        JobKeys.no_new_privs,
        JobKeys.oom_score_adj,
        JobKeys.stdin,
        JobKeys.tty,
        JobKeys.reload_signal,
    )
)


def faults(values: Values, uid: int) -> Iterator[Fault]:
    """Yield what cannot be done, and what contradicts.

    Args:
        values: The job's table.
        uid: Whom claw runs as.
    """
    yield from _accounts(values, uid)
    own = values.table("resources")
    if own.says(ResourceKeys.action) and not resources(own).is_limited:
        yield (
            ("resources", "action"),
            "nothing is limited: add memory, cpu or pids beside it, or remove it",
        )
    if values[JobKeys.tty] and _is_separate(values.table("log")):
        yield ("tty",), "on a terminal both outputs are one: remove log.stderr"
    if values[JobKeys.tty] and values.says(JobKeys.stdin) and not _is_open(values):
        yield ("stdin",), "a terminal is its standard input: remove it"


def contradictions(values: Values) -> Iterator[Fault]:
    """Yield what a job's table, or ``[defaults]``, says in vain, whatever else is said."""
    if values.says(JobKeys.reload_signal) and values.says(JobKeys.reload_command):
        yield (
            ("reload_signal",),
            "it is never sent, for reload_command is run instead: keep one of them",
        )
    if not values.says(JobKeys.limits):
        return
    for name, _soft, hard in values.or_default(JobKeys.limits):
        most = limits.hard_limit_below(name, hard)
        if most is not None:
            yield (
                ("limits", name),
                f"the hard limit here is {most}: write less, or raise that of the daemon",
            )


def _is_separate(log: Values) -> bool:
    return log[LogKeys.stderr] is not Stderr.MERGE


def _is_open(values: Values) -> bool:
    return values[JobKeys.stdin] is Stdin.OPEN


def _accounts(values: Values, uid: int) -> Iterator[Fault]:
    user, group = values[JobKeys.user], values[JobKeys.group]
    for key, name, known in (
        ("user", user, accounts.user_names),
        ("group", group, accounts.group_names),
    ):
        find = accounts.user_id if key == "user" else accounts.group_id
        if name and find(name) is None:
            yield (key,), f"there is no {key} {show(name)} here{nearest(name, known())}"
            return
    if uid == 0 or not (user or group):
        return
    if group or accounts.user_id(user) != uid:
        key = "user" if user else "group"
        yield (
            (key,),
            "only root can run a job as another: remove it, or run clawd as root",
        )


def child_values(values: Values) -> dict[str, object]:
    """Return the attributes of a job that its process is started and stopped with."""
    found = {field.attr: values[field] for field in AS_THEY_ARE}
    shell = values[JobKeys.shell]
    for field in (JobKeys.stop_command, JobKeys.reload_command):
        line = values[field]
        found[field.attr] = argv_of(line, shell)[0] if line else ()
    return found


def resources(values: Values) -> Resources:
    """Return what a job's tree may use."""
    return _make_resources(
        memory_bytes=values[ResourceKeys.memory],
        cpu=values[ResourceKeys.cpu],
        pids=values[ResourceKeys.pids],
        action=values[ResourceKeys.action],
    )
