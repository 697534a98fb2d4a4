"""``job.tree``: which jobs follow which."""

from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.wiring import Json
from claw.model.job import Config, Job
from claw.model.trigger import Trigger
from claw.model.workflow import Step


async def tree(call: Call, params: Params) -> Json:
    """Tell which jobs follow which."""
    config: Config = call.services.config.current
    name = params.get("job")
    triggers = config.triggers
    if name is None:
        begin = [
            job.name
            for job in config.jobs
            if not job.trigger and (job.workflow or triggers.after(job.name))
        ]
    elif config.job(name) is None:
        raise targets.no_job(config, name)
    else:
        begin = [name]
    shown = {one for root in begin for one in (root, *triggers.descendants(root))}
    found = (config.job(one) for one in sorted(shown))
    return {
        "roots": sorted(begin),
        "jobs": [_node(job, triggers.after(job.name)) for job in found if job is not None],
    }


def _node(job: Job, after: tuple[str, ...]) -> Json:
    return {
        "name": job.name,
        "title": job.title,
        "type": job.type,
        "enabled": job.enabled,
        "trigger": None if job.trigger is None else _rule(job.trigger),
        "steps": [] if job.workflow is None else [_step(one) for one in job.workflow.steps],
        "next": list(after),
    }


def _step(step: Step) -> Json:
    return {"name": step.name, "job": step.job, "needs": list(step.needs), "on": step.on}


def _rule(rule: Trigger) -> Json:
    return {
        "after": list(rule.after),
        "on": rule.on,
        "delay_s": rule.delay_s,
        "when": rule.when.text if rule.when else None,
        "join": rule.join if len(rule.after) > 1 else None,
        "max_fanout": rule.max_fanout,
    }
