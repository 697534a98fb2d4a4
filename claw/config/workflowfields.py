"""The tables of workflows: what they share with jobs, and what they have of their own."""

from claw.config.fields import (
    ALERTS,
    APPROVAL,
    DEDUP,
    DELIVERY,
    FILE_WATCH,
    RETRY,
    SLA,
    TRIGGER,
    JobKeys,
)
from claw.config.keys.workflow import StepOwnKeys, WorkflowOwnKeys
from claw.config.table import Section


class WorkflowKeys(WorkflowOwnKeys):
    """Steps that need each other, run as one: `[workflows.nightly]`. Named as jobs are."""

    name = JobKeys.name
    description = JobKeys.description
    tags = JobKeys.tags
    enabled = JobKeys.enabled
    schedule = JobKeys.schedule
    timezone = JobKeys.timezone
    catch_up = JobKeys.catch_up
    catch_up_window = JobKeys.catch_up_window
    jitter = JobKeys.jitter
    run_at = JobKeys.run_at
    hours = JobKeys.hours
    ttl = JobKeys.ttl
    delete_after_run = JobKeys.delete_after_run
    error_backoff = JobKeys.error_backoff
    overdue_after = JobKeys.overdue_after
    success_within = JobKeys.success_within
    ping = JobKeys.ping
    max_instances = JobKeys.max_instances
    on_overlap = JobKeys.on_overlap
    max_queued = JobKeys.max_queued
    priority = JobKeys.priority
    max_pending_approvals = JobKeys.max_pending_approvals
    events = JobKeys.events


class StepKeys(StepOwnKeys):
    """One step: `steps.dump = { command = "..." }`. It speaks of its runs in this workflow."""

    command = JobKeys.command
    argv = JobKeys.argv
    shell = JobKeys.shell
    cwd = JobKeys.cwd
    user = JobKeys.user
    group = JobKeys.group
    success_codes = JobKeys.success_codes
    skip_code = JobKeys.skip_code
    pool = JobKeys.pool
    lock = JobKeys.lock
    delivery_guarantee = JobKeys.delivery_guarantee
    env = JobKeys.env
    timeout = JobKeys.timeout


WORKFLOW = Section(
    "workflows.NAME",
    WorkflowKeys,
    tables={
        "alerts": ALERTS,
        "delivery": DELIVERY,
        "sla": SLA,
        "dedup": DEDUP,
        "trigger": TRIGGER,
        "approval": APPROVAL,
        "watch": FILE_WATCH,
    },
)
STEP = Section("steps.STEP", StepKeys, tables={"retry": RETRY, "approval": APPROVAL})
