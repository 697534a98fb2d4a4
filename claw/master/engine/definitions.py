"""Jobs that are there for one run only: found by name as any other, while there is history.

Those with open runs are kept in `claw.model.transients.Transients`, which all configurations of
a master share, and which the next master fills from the store; the others are read again when
somebody asks for them.
"""

from claw.config.transient import build_transient
from claw.errors import UsageError
from claw.master.engine import confinement, steps
from claw.model import stored
from claw.model.job import Config, Job
from claw.model.run import Run
from claw.model.transient import Transient
from claw.model.values import replace
from claw.model.workflow import Workflow
from claw.store.records import Tx


def made(name: str, stored_as: dict[str, object]) -> Job:
    """Return the job of a stored definition.

    Raises:
        UsageError, ValueError: It is not one any more.
    """
    groups = stored_as.get("groups")
    if "workflow" in stored_as:
        definition = stored.known_again(Workflow, stored_as["workflow"])
        params = tuple(key for key, _value in definition.params)
        return Job(
            name=name, argv=(), workflow=definition, params=params, transient=Transient()
        )
    about = Transient(
        groups=tuple(groups) if isinstance(groups, list) else None,
        after=str(stored_as.get("after") or ""),
    )
    table = stored_as["table"]
    job = build_transient(name, table if isinstance(table, dict) else {}, about)
    bounds = stored_as.get("bounds")
    return confinement.confined(job, bounds if isinstance(bounds, dict) else {})


def recall(tx: Tx, config: Config, name: str) -> Job | None:
    """Return the job of a name, of the configuration or of one run; None: there is none."""
    found = config.job(name)
    if found is not None:
        return found
    known = tx.transient(name)
    if known is None:
        return steps.left_job(tx, name)
    try:
        job = made(name, known)
    except (UsageError, ValueError):  # of another version, which knew other keys
        return None
    config.transients.keep(job)
    return job


def of_run(tx: Tx, config: Config, run: Run) -> Job | None:
    """Return the job of a run with what holds for that run alone: what its step says."""
    if run.lineage.step is None:
        return recall(tx, config, run.job)
    job = steps.own_job(tx, run) or recall(tx, config, run.job)
    if job is None:
        return None
    step = steps.step_of(tx, run)
    if step is None:
        return job
    return replace(
        job,
        retry=job.retry if step.retry is None else step.retry,
        timeout_s=job.timeout_s if step.timeout_s is None else step.timeout_s,
        approval=None if step.is_unasked else step.approval or job.approval,
    )


def load(tx: Tx, config: Config) -> None:
    """Take in the jobs of all open runs; what is no job any more is left out."""
    for name, known in tx.open_transients().items():
        try:
            config.transients.add(made(name, known))
        except (UsageError, ValueError):
            continue
