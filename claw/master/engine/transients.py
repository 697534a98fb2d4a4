"""Runs without a job of the configuration: ``clawctl run -- CMD``."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from claw.errors import ConflictError, NotFoundError, UsageError
from claw.master.engine import confinement, definitions, intake
from claw.master.engine.turn import Turn
from claw.model import gates as of_gates
from claw.model import ids, machine, stored
from claw.model.job import Job
from claw.model.run import Run, State
from claw.model.values import replace
from claw.model.workflow import Workflow

_LONGEST_NAME = 40
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted.

    Attributes:
        name: What its job is to be called; '': after the program.
        table: The job's keys.
        groups: The groups of who asks; None: those of the user it runs as.
        after: A run, by its whole id, that has to end well first.
    """

    name: str = ""
    table: dict[str, object] = field(default_factory=dict)
    groups: tuple[int, ...] | None = None
    after: str = ""


def submit(turn: Turn, wish: Wish, ask: intake.Ask) -> Run:
    """Store a run together with what it runs; ``ask`` is completed with both names.

    Raises:
        UsageError: The keys make no job, or the name is none.
        ConflictError: The name is another job's.
        NotFoundError: There is no such pool.
        SaturatedError: As for `intake.submit`.
    """
    known = turn.tx.run_by_origin(ask.origin, ask.key)
    if known is not None:
        return known
    run_id = turn.new_run_id()
    name = wish.name or _name_of(wish.table, run_id)
    _check_name(turn, name)
    as_stored: dict[str, object] = {
        "table": wish.table,
        "groups": None if wish.groups is None else list(wish.groups),
        "after": wish.after,
        "bounds": _bounds(turn, ask),
    }
    job = definitions.made(name, as_stored)
    _check_pool(turn, job)
    turn.tx.delete_standing(name)  # of a stop of an earlier one
    turn.take_up(job)
    run = intake.submit(turn, ask.of(name, run_id))
    turn.tx.put_transient(run.id, name, as_stored)
    return run


def submit_workflow(
    turn: Turn, definition: Workflow, ask: intake.Ask, name: str, kind: str
) -> Run:
    """Store a run of a workflow that is no job's; ``ask`` is completed with both names.

    Args:
        turn: The decision.
        definition: Its steps.
        ask: Who asks, and with which variables.
        name: What it is to be called; '': after what it is.
        kind: What it is, in a word.

    Raises:
        UsageError: The name is none.
        ConflictError: The name is another job's.
        SaturatedError: As for `intake.submit`.
    """
    known = turn.tx.run_by_origin(ask.origin, ask.key)
    if known is not None:
        return known
    run_id = turn.new_run_id()
    name = name or f"{kind}-{ids.short(run_id)}"
    _check_name(turn, name)
    whole = replace(definition, params=ask.env)
    as_stored: dict[str, object] = {"workflow": stored.plain(whole)}
    turn.tx.delete_standing(name)  # of a stop of an earlier one
    turn.take_up(definitions.made(name, as_stored))
    run = intake.submit(turn, ask.of(name, run_id))
    turn.tx.put_transient(run.id, name, as_stored)
    return run


def _bounds(turn: Turn, ask: intake.Ask) -> dict[str, object]:
    """Return what holds the run's maker back, if another run makes it."""
    made_by = None if ask.lineage.parent is None else turn.run(ask.lineage.parent)
    job = None if made_by is None else definitions.recall(turn.tx, turn.config, made_by.job)
    return {} if job is None else confinement.of(job)


def _name_of(table: dict[str, object], run_id: str) -> str:
    """Return a name after the program and the run: ``sleep-4fj2k9``."""
    argv = table.get("argv")
    program = str(argv[0]).rstrip("/").rpartition("/")[2] if isinstance(argv, list) else ""
    clean = _NOT_IN_NAMES.sub("", program)[:_LONGEST_NAME].lstrip(".-")
    return f"{clean or 'run'}-{ids.short(run_id)}"


def _check_name(turn: Turn, name: str) -> None:
    problem = ids.name_problem(name)
    if problem:
        raise UsageError(f"{name!r} is no good name: {problem}")
    job = turn.config.job(name)
    if job is not None and job.transient is None:
        raise ConflictError(
            f"there is a job {name!r}", hint=f"clawctl run {name}, or take another name"
        )
    for run in turn.tx.open_runs(name):
        raise ConflictError(
            f"run {ids.short(run.id)} has the name {name!r}", hint="take another, or wait"
        )


def _check_pool(turn: Turn, job: Job) -> None:
    if job.pool is None:
        return
    slots = dict(turn.config.pools).get(job.pool.name)
    if slots is None:
        raise NotFoundError(
            f"there is no pool {job.pool.name!r}",
            hint="pools are defined in claw.toml: [pools.NAME]",
        )
    if job.pool.slots > slots:
        raise UsageError(
            f"pool {job.pool.name!r} has {slots} slots, and {job.pool.slots} are asked for"
        )


def turn_away(turn: Turn, job: Job, run: Run) -> bool:
    """Skip a run that was to follow one which has ended badly; tell whether it did."""
    first = _first(turn, job)
    if first is None or first.is_open or first.state is State.SUCCEEDED:
        return False
    why = f"run {ids.short(first.id)}, which it was to follow, has ended: {first.state}"
    turn.take(run, machine.turn_away(run, why=why, at=turn.now))
    return True


def held(turn: Turn, job: Job, runs: Sequence[Run]) -> dict[str, str]:
    """Return why runs wait for another one, in words, by run."""
    first = _first(turn, job)
    if first is None or not first.is_open:
        return {}
    words = f"run {ids.short(first.id)} of {first.job} to end well"
    return {run.id: words for run in runs}


def gates(job: Job, runs: Iterable[str]) -> dict[str, str]:
    """Return at which gate runs wait for another one, by run."""
    after = "" if job.transient is None else job.transient.after
    return dict.fromkeys(runs, of_gates.after(after)) if after else {}


def _first(turn: Turn, job: Job) -> Run | None:
    after = "" if job.transient is None else job.transient.after
    return turn.tx.run(after) if after else None
