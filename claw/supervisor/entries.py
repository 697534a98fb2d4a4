"""The lines that a supervisor and its child write into the journal."""

from claw import __version__
from claw.kernel import files, pidfd, ticks
from claw.kernel.bare import os
from claw.kernel.pidfd import Exit
from claw.supervisor.machine import Supervision
from claw.wire.supervision import Launch, Message

_BOOT = ticks.boot_id()  # once, in the fork server: it names the boot for its whole life


def entry(ev: str, **values: object) -> Message:
    """Return a journal line with its wall time and boot time, both in seconds."""
    return {"ev": ev, "at": ticks.wall(), "b": ticks.boottime(), **values}


def _myself() -> Message:
    pid = os.getpid()
    if pid not in _STARTS:  # else it is asked again, in each fork
        _STARTS.clear()
        _STARTS[pid] = pidfd.start_ticks(pid)
    return {"pid": pid, "start": _STARTS[pid]}


_STARTS: "dict[int, int | None]" = {}


def first(launch: Launch) -> Message:
    """Return the line that begins a journal."""
    return entry(
        "launch",
        run=launch.run,
        attempt=launch.attempt,
        job=launch.job,
        instance=launch.instance,
        cause=launch.cause,
        origin=launch.origin,
        origin_key=launch.origin_key,
        slot=launch.slot,
        kind="service" if launch.is_service else "once",
        boot=_BOOT,
        version=__version__,
        under=os.getppid(),
        **_myself(),
    )


def withdrawn(launch: Launch, why: str) -> Message:
    """Return the line of a launch that is not to begin: the only one of its journal."""
    return entry("withdrawn", run=launch.run, attempt=launch.attempt, why=why)


def taken_over() -> Message:
    """Return the line of a supervisor that stands in for a killed one."""
    return entry("taken_over", **_myself())


def started(launch: Launch, attempt: int) -> Message:
    """Return the line of a child that is about to exec."""
    line = entry("started", run=launch.run, attempt=attempt, ready=launch.ready, **_myself())
    if launch.ready == "log":  # where its output begins, for who searches it
        line["logs"] = [
            [path, *place] for path in _outputs(launch) if (place := files.place_of(path))
        ]
    return line


def begun(launch: Launch, attempt: int, pid: int, start: int) -> Message:
    """Return the line of a child that its supervisor puts on record, see `swift`."""
    who = {"pid": pid, "start": start}
    return entry("started", run=launch.run, attempt=attempt, ready=launch.ready, **who)


def _outputs(launch: Launch) -> list[str]:
    paths = [launch.out_path, launch.err_path]
    return paths if launch.stderr == "separate" else paths[:1]


def spawn_failed(
    launch: Launch, attempt: int, stage: str, number: int | None, error: str
) -> Message:
    """Return the line of a child that could not exec."""
    failure = {"stage": stage, "errno": number, "error": error}
    return entry("spawn_failed", run=launch.run, attempt=attempt, **_myself(), **failure)


def hidden(launch: Launch, text: str) -> str:
    """Return a text of a child's without the secrets that its launch has."""
    for value in launch.secrets:
        if len(value) > 3:  # noqa: PLR2004  as the master has it
            text = text.replace(value, "****")
    return text


def note(launch: Launch, attempt: int, text: str) -> Message:
    """Return a line for people about an attempt."""
    return entry("note", run=launch.run, attempt=attempt, text=hidden(launch, text))


def errand(launch: Launch, attempt: int, what: str, until_b: float) -> Message:
    """Return the line of a command that is about to run beside the child."""
    line = entry("errand", run=launch.run, attempt=attempt, what=what, **_myself())
    return {**line, "until_b": until_b}


def ready(state: Supervision, by: str) -> Message:
    """Return the line of a child that is ready to serve."""
    return entry("ready", run=state.launch.run, attempt=state.attempt, by=by)


def health(state: Supervision, word: str, why: str) -> Message:
    """Return the line of a service that is found healthy or unhealthy, unlike before."""
    run = state.launch.run
    return entry("health", run=run, attempt=state.attempt, state=word, why=why)


def status(state: Supervision, text: str) -> Message:
    """Return the line of what the child says of itself."""
    text = hidden(state.launch, text)
    return entry("status", run=state.launch.run, attempt=state.attempt, text=text)


def main(state: Supervision, pid: int, start: int) -> Message:
    """Return the line of a child that another process of its tree has taken the place of."""
    return entry("main", run=state.launch.run, attempt=state.attempt, pid=pid, start=start)


def watchdog(state: Supervision, period_s: float) -> Message:
    """Return the line of a child that will give signs of life so often."""
    return entry("watchdog", run=state.launch.run, attempt=state.attempt, period_s=period_s)


def extended(state: Supervision, until_b: float) -> Message:
    """Return the line of a child that asks for patience until a boot time."""
    return entry("extended", run=state.launch.run, attempt=state.attempt, until_b=until_b)


def stopping(state: Supervision, why: str, by: str, grace_s: float, text: str) -> Message:
    """Return the line that says that the child is to end; ``text`` is for people."""
    line = entry("stopping", run=state.launch.run, attempt=state.attempt, why=why, by=by)
    if text:
        line["text"] = hidden(state.launch, text)
    return {**line, "grace_s": grace_s}


def exited(
    state: Supervision,
    ended: Exit,
    dropped: int,
    survivors: list[str],
    *,
    is_out_of_memory: bool,
) -> Message:
    """Return the completion marker of an attempt."""
    line = entry(
        "exited",
        run=state.launch.run,
        attempt=state.attempt,
        pid=state.pid,
        code=ended.code,
        signal=ended.signal,
        timed_out=state.timed_out,
        cpu_s=round(ended.cpu_s, 6),
        max_rss=ended.max_rss,
        dropped=dropped,
    )
    if survivors:
        line["survivors"] = survivors
    if is_out_of_memory and ended.code not in state.launch.success_codes:
        line["oom"] = True
    return line


def conflict(state: Supervision) -> Message:
    """Return the end of a run whose next attempt another supervisor has begun."""
    run = state.launch.run
    return entry("ended", run=run, attempt=state.attempt, why="conflict", by="claw")
