"""``workflow.*``: made of jobs, listed, shown, run again."""

from claw.commands.method import VIEWER
from claw.errors import ConflictError, NotFoundError, UsageError
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.engine import children, definitions, intake, transients, workflows
from claw.master.engine.turn import Turn
from claw.master.handlers.run import check_texts, of_asker
from claw.master.views import workflowview
from claw.master.wiring import Json
from claw.model import workflow
from claw.model.job import Config, JobType
from claw.model.masking import MASK
from claw.model.run import Origin, Run
from claw.model.workflow import On, OnBadEnd, Workflow
from claw.store.records import Tx

DEFAULT_LIMIT = 20


async def compose(call: Call, params: Params) -> Json:
    """Run jobs as a chain, a group or a chord."""
    definition = _composed(params)
    env = params.get("env", {})
    check_texts(env, ())
    ask = intake.Ask(
        job="", origin=Origin.MANUAL, key=call.key, by=call.by, env=tuple(env.items())
    )

    def decide(turn: Turn) -> Json:
        for step in definition.steps:
            _check_job(turn, step.job)
            if call.is_limited:
                intake.check_allowed(turn.job(step.job), env, has_args=False)
        kind, name = params["kind"], params.get("name", "")
        if call.connection.run is not None:
            children.check_fanout(turn, call.connection.run, len(definition.steps))
        wanted = of_asker(turn, call, ask)
        return _submitted(transients.submit_workflow(turn, definition, wanted, name, kind))

    return await call.commit(decide)


def _composed(params: Params) -> Workflow:
    """Return the steps that are asked for.

    Raises:
        UsageError: What is said goes not together.
    """
    kind, jobs = params["kind"], params["jobs"]
    if kind != "chord":
        if "callback" in params or "on" in params:
            raise UsageError(f"workflow.compose: a {kind} has no callback")
        make = workflow.chain if kind == "chain" else workflow.group
        usual = "stop" if kind == "chain" else "continue"
        return make(jobs, OnBadEnd(params.get("on_failure", usual)))
    if "callback" not in params:
        raise UsageError("workflow.compose: a chord needs a callback")
    if "on_failure" in params:
        raise UsageError("workflow.compose: a chord's callback has 'on' instead of on_failure")
    return workflow.chord(jobs, params["callback"], On(params.get("on", "complete")))


def _check_job(turn: Turn, name: str) -> None:
    """Refuse what cannot be a step."""
    job = turn.config.job(name)
    if job is None:
        raise targets.no_job(turn.config, name)
    if job.transient is not None:
        raise ConflictError(f"{name!r} was there for one run only")
    if job.type is JobType.CONTINUOUS or job.workflow is not None:
        what = "a workflow" if job.workflow is not None else "a service, which has no end"
        raise ConflictError(f"{name!r} is {what}: it cannot be a step")


def _submitted(run: Run) -> Json:
    whole = run.lineage.workflow or run.id
    shown = {"run": run.id, "job": run.job, "workflow": whole, "state": run.state}
    return {**shown, "reason": run.reason} if run.reason else shown


async def list_(call: Call, params: Params) -> Json:
    """List workflows, newest first, a page at a time."""
    limit, job = params.get("limit", DEFAULT_LIMIT), params.get("job")
    config = call.services.config.current

    def read(tx: Tx) -> Json:
        before = None
        if "before" in params:
            found = targets.find_run(tx, params["before"])
            before = None if found is None else found.id
        if job is None:
            runs = tx.workflow_page(before, limit + 1)
        else:
            known = definitions.recall(tx, config, job)
            if known is None or known.workflow is None:
                raise _none(config, job)
            runs = tx.runs_page(job=job, before=before, limit=limit + 1)
        shown = [workflowview.listed(tx, run) for run in runs[:limit]]
        more = runs[limit - 1].id if len(runs) > limit else None
        return {"workflows": shown, "next": more}

    return await call.services.store.read(read)


async def show(call: Call, params: Params) -> Json:
    """Tell all about one workflow."""
    config, target = call.services.config.current, params["workflow"]

    def read(tx: Tx) -> Json:
        job = definitions.recall(tx, config, target)
        if job is not None and job.workflow is not None:
            newest = _newest(tx, job.name)
            return (
                workflowview.show_definition(job)
                if newest is None
                else workflowview.show(tx, newest)
            )
        return workflowview.show(tx, _of(tx, config, target))

    shown = await call.services.store.read(read)
    if call.peer.role == VIEWER:
        shown = {**shown, "params": dict.fromkeys(shown["params"], MASK)}
    return shown


async def retry(call: Call, params: Params) -> Json:
    """Run a workflow again from a step on."""

    def decide(turn: Turn) -> Json:
        whole = _of(turn.tx, turn.config, params["workflow"]).lineage.workflow
        run = workflows.retry(turn, str(whole), params.get("from"), key=call.key, by=call.by)
        return _submitted(run)

    return await call.commit(decide)


def _newest(tx: Tx, name: str) -> Run | None:
    """Return the newest run of a workflow of that name that belongs to one."""
    runs = tx.runs_page(job=name, limit=DEFAULT_LIMIT)
    return next((run for run in runs if run.lineage.workflow is not None), None)


def _of(tx: Tx, config: Config, target: str) -> Run:
    """Return the first run of the workflow that is meant.

    Raises:
        NotFoundError: There is none.
        ConflictError: It could be more than one run.
    """
    job = definitions.recall(tx, config, target)
    if job is not None and job.workflow is not None:
        run = _newest(tx, job.name)
        if run is None:
            raise NotFoundError(
                f"workflow {target!r} has never run", hint=f"clawctl run {target}"
            )
    else:
        run = targets.find_run(tx, target)
    whole = None if run is None else run.lineage.workflow
    first = None if whole is None else tx.run(whole)
    found = first or (run if whole is not None else None)
    if found is None:
        raise _none(config, target)
    return found


def _none(config: Config, target: str) -> NotFoundError:
    if config.job(target) is not None:
        return NotFoundError(f"job {target!r} is no workflow", hint="clawctl workflow list")
    return NotFoundError(f"no workflow {target!r}", hint="clawctl workflow list")
