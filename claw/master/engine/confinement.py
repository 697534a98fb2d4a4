"""What holds a job's processes back holds back what its children make, too.

Else a child could leave its limits behind by asking for a run of its own.
"""

import dataclasses
from typing import Any

from claw.model.job import Job, ResourceAction, Resources
from claw.model.values import replace

_KEYS = ("nice", "oom_score_adj", "no_new_privs")


def of(job: Job) -> dict[str, object]:
    """Return what holds a job back, as JSON; empty: nothing does."""
    found: dict[str, object] = {key: getattr(job, key) for key in _KEYS if getattr(job, key)}
    if job.limits:
        found["limits"] = [list(one) for one in job.limits]
    if job.resources.is_limited:
        found["resources"] = dataclasses.asdict(job.resources)
    return found


def confined(job: Job, bounds: dict[str, Any]) -> Job:
    """Return a job that is held back in the same way."""
    if not bounds:
        return job
    values = {key: bounds[key] for key in _KEYS if key in bounds}
    if "limits" in bounds:
        values["limits"] = tuple((name, soft, hard) for name, soft, hard in bounds["limits"])
    if "resources" in bounds:
        known = bounds["resources"]
        values["resources"] = Resources(**{**known, "action": ResourceAction(known["action"])})
    return replace(job, **values)


def as_keys(bounds: dict[str, Any]) -> dict[str, object]:
    """Return the same as keys of a job's table."""
    found = {key: bounds[key] for key in _KEYS if key in bounds}
    if "limits" in bounds:
        found["limits"] = {
            name: f"{_amount(soft)}:{_amount(hard)}" for name, soft, hard in bounds["limits"]
        }
    if "resources" in bounds:
        known = bounds["resources"]
        named = {"memory": known["memory_bytes"], "cpu": known["cpu"], "pids": known["pids"]}
        said = {key: value for key, value in named.items() if value is not None}
        found["resources"] = {**said, "action": str(known["action"])}
    return found


def _amount(value: int) -> str:
    return "unlimited" if value < 0 else str(value)
