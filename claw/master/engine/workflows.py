"""Workflows: their runs begin, their steps follow each other, and they end.

A workflow is a job whose runs have no child. Such a run passes the gates of its job as any
other and then only waits for its steps, which are runs of jobs with the origin ``workflow``.
What follows from the end of a step is decided in the transaction of that end; nothing is
looked at again and again. A run begins with a definition, which is kept with it.

The id of a workflow is that of its first run. `retry` makes another run of the same workflow,
which runs some steps again, by the commands that they have now, and takes the others as they
ended before.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta

from claw.errors import ClawError, ConflictError, NotFoundError
from claw.master.engine import intake, steps
from claw.master.engine.turn import Change, Turn
from claw.model import ids, machine, reference, root, workflow
from claw.model.effect import DispatchAt
from claw.model.job import Job
from claw.model.lineage import Lineage, below
from claw.model.root import is_root
from claw.model.run import Origin, Priority, Run, State
from claw.model.workflow import Stand, Step, Workflow


def begin(turn: Turn, run: Run, job: Job) -> None:
    """Begin a workflow's run that has passed its gates, with its first steps."""
    for step in root.begin(run, turn.now):
        run = turn.take(run, step)
    if turn.tx.workflow(run.id) is None:
        definition = job.workflow or Workflow(steps=())
        turn.tx.put_workflow(run.id, steps.text_of(definition, turn.config, job.name))
    if job.timeout_s:
        at = turn.now + timedelta(seconds=job.timeout_s)
        turn.tx.set_deadline(run.id, at)
        turn.emit(DispatchAt(at))
    _go_on(turn, run)


def advance(turn: Turn, run: Run) -> None:
    """See what follows in its workflow from the end of a run."""
    if run.lineage.step is None or run.lineage.parent is None:
        return
    whole = turn.tx.run(run.lineage.parent)
    if whole is not None and whole.state is State.RUNNING:
        _go_on(turn, whole)


def wind_down(turn: Turn, change: Change) -> None:
    """End the steps of a workflow whose end was asked for just now."""
    run = change.after
    if not is_root(run) or run.state is not State.RUNNING:
        return
    if run.stop_why is None or change.before.stop_why is not None:
        return
    why = f"cancel: workflow {run.job} is to end: {run.stop_why}"
    for row in steps.rows_of(turn.tx, run):
        step = turn.run(row.id)
        if step.is_open and step.stop_why is None:
            turn.end(step, why=why, by=run.stop_by or "claw")
    _go_on(turn, run)


def expire(turn: Turn) -> None:
    """End the workflows that have run out of time, and say when the next one will."""
    following = turn.tx.next_deadline()
    if following is not None and following <= turn.now:
        for run_id in turn.tx.expired_workflows(turn.now):
            turn.tx.set_deadline(run_id, None)
            run = turn.tx.run(run_id)
            if run is not None and run.is_active and run.stop_why is None:
                turn.take(run, machine.ask_end(run, why=root.TIMEOUT, by="claw"))
        following = turn.tx.next_deadline()
    if following is not None:
        turn.emit(DispatchAt(following))


def _go_on(turn: Turn, run: Run) -> None:
    """Begin and leave out what is to be, and end the workflow's run with its last step."""
    definition = steps.definition_of(turn.tx, run)
    decision = workflow.decide(
        definition, steps.stands(turn.tx, run, definition), ending=run.stop_why
    )
    for step in decision.begin:
        _begin_step(turn, run, definition, step)
    for step, why in decision.leave_out:
        _add(turn, _ask(run, definition, step, cause=steps.LEFT_OUT), why)
    if decision.verdict is not None:
        turn.tx.set_deadline(run.id, None)
        turn.take(run, root.conclude(run, decision.verdict, turn.now))


def _begin_step(turn: Turn, run: Run, definition: Workflow, step: Step) -> None:
    ask = _ask(run, definition, step)
    try:
        intake.follow_up(turn, ask)
    except ClawError as error:
        _add(turn, ask, error.message)


def _add(turn: Turn, ask: intake.Ask, why: str) -> None:
    """Store that a step does not run, also when its job is gone."""
    try:
        intake.skip(turn, ask, why)
    except NotFoundError:
        run = Run(
            id=turn.new_run_id(),
            job=ask.job,
            state=State.SKIPPED,
            origin=ask.origin,
            origin_key=ask.key,
            queued_at=turn.now,
            due_at=turn.now,
            ended_at=turn.now,
            cause=ask.cause,
            reason=why,
            asked_by=ask.by,
            lineage=ask.lineage,
        )
        turn.add(run, why=why)


def _ask(run: Run, definition: Workflow, step: Step, cause: str = "start") -> intake.Ask:
    whole = run.lineage.workflow or run.id
    given = {**dict(definition.params), **dict(run.env), **dict(step.env)}
    for name, value in step.env:
        if reference.stands_in(value):  # the step's own job says the same, and has it looked up
            del given[name]
    return intake.Ask(
        job=step.job,
        origin=Origin.WORKFLOW,
        key=f"{whole}/{step.name}/{run.id}",
        by=run.asked_by,
        cause=cause,
        env=tuple(sorted(given.items())),
        priority=None if run.priority is Priority.NORMAL else run.priority,
        lineage=below(run, workflow=whole, step=step.name, event=run.lineage.event),
    )


def retry(turn: Turn, workflow_id: str, since: str | None, *, key: str, by: str) -> Run:
    """Run a workflow again from a step on, and take the other steps as they have ended.

    Args:
        turn: The decision.
        workflow_id: Its id.
        since: The step; None: all that ended badly or was left out, and what needs that.
        key: Of the request: the same one finds the same run.
        by: Who asks.

    Raises:
        NotFoundError: It has no such step, or there is no such workflow.
        ConflictError: It is under way, nothing of it ended badly, or what it would keep is
            forgotten.
    """
    same = turn.tx.run_by_origin(Origin.REINJECT, f"{workflow_id}:{key}")
    if same is not None:
        return same
    roots = turn.tx.workflow_roots(workflow_id)
    if not roots:
        raise NotFoundError(f"no workflow {workflow_id!r}", hint="clawctl workflow list")
    last = roots[-1]
    if last.is_open:
        raise ConflictError(
            f"workflow {ids.short(workflow_id)} is {last.state}",
            hint=f"clawctl workflow cancel {ids.short(workflow_id)}",
        )
    row = turn.tx.workflow(last.id)
    if row is None:
        raise ConflictError(
            f"workflow {ids.short(workflow_id)} never began: {last.reason or last.state}",
            hint=f"clawctl run {last.job}",
        )
    definition = steps.definition_of(turn.tx, last)
    known = steps.stands(turn.tx, last, definition)
    again = _again(definition, known, since)
    kept = [step.name for step in definition.steps if step.name not in again]
    _check_kept(kept, known)
    ask = intake.Ask(
        job=last.job,
        origin=Origin.REINJECT,
        key=f"{workflow_id}:{key}",
        by=by,
        env=last.env,
        cause="retry",
        replay_of=last.id,
        lineage=Lineage(workflow=workflow_id, event=last.lineage.event),
    )
    run = intake.submit(turn, ask)
    text = steps.text_of(definition, turn.config, run.job, row.definition)
    turn.tx.put_workflow(run.id, text, kept)
    return run


def _check_kept(kept: Collection[str], known: Mapping[str, Stand]) -> None:
    """See that what is taken as it has ended is still there.

    Raises:
        ConflictError: Retention has forgotten a step's run.
    """
    for name in kept:
        if name not in known:
            raise ConflictError(
                f"the run of step {name} is forgotten, so it would have to run again",
                hint=f"--from {name}, or begin anew",
            )


def _again(
    definition: Workflow, known: Mapping[str, Stand], since: str | None
) -> Collection[str]:
    """Return the steps that are run again.

    Raises:
        NotFoundError: There is no such step.
        ConflictError: None ended badly, and none was named.
    """
    if since is not None:
        if definition.step(since) is None:
            names = ", ".join(step.name for step in definition.steps)
            raise NotFoundError(f"no step {since!r}", hint=f"the steps are {names}")
        return definition.after(since)
    bad = workflow.first_bad(definition, known)
    if bad is None:
        raise ConflictError("no step of it ended badly", hint="name one: --from STEP")
    found: set[str] = set()
    for step in definition.steps:
        if step.name in known and known[step.name].is_bad:
            found |= definition.after(step.name)
    # What was left out because of those is decided about again.
    return found | {name for name, stand in known.items() if stand.is_left_out}
