"""A loaded configuration as files would have it written, every value spelled out."""

from __future__ import annotations

from claw.cli.verbs.writtenjobs import job, program, retry, tables, watch, without_meaning
from claw.cli.verbs.writtenvalues import duration, ladder, plain, table
from claw.config import fields, workflowfields
from claw.config.channels import OF_HOOKS
from claw.model.channels import ChannelType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from claw.model.channels import Channel
    from claw.model.hooks import Hook
    from claw.model.job import Config, Job
    from claw.model.workflow import Step, Workflow

    Table = dict[str, Any]


def configuration(config: Config) -> Table:
    """Return a configuration as ``config show --json`` prints it.

    A key that does not apply, or that is left to its default in words, is None.
    """
    defaults = config.defaults
    channels = {one.name: one for one in config.channels}
    return {
        "files": list(config.files),
        "daemon": {
            **table(config.daemon, fields.DAEMON),
            "control": table(config.daemon, fields.CONTROL),
            "retention": table(config.daemon, fields.RETENTION),
        },
        "pools": {name: {"slots": slots} for name, slots in config.pools},
        "locks": table(config.locks, fields.LOCKS),
        "secrets": table(config.secrets, fields.SECRETS),
        "channels": {
            name: _channel(one)
            for name, one in channels.items()
            if not name.startswith(OF_HOOKS)
        },
        "hooks": [_hook(one, channels) for one in config.hooks],
        "defaults": plain(defaults),
        "jobs": {
            one.name: job(one, defaults)
            for one in config.jobs
            if one.workflow is None and not one.step_of
        },
        "workflows": {
            one.name: _workflow(one, one.workflow, config)
            for one in config.jobs
            if one.workflow is not None
        },
    }


def _channel(one: Channel) -> Table:
    kind, urls = one.type, list(one.urls)
    is_webhook = kind is ChannelType.WEBHOOK
    return {
        **table(one, fields.CHANNEL),
        "argv": list(one.argv) or None,
        "path": one.path or None,
        "url": urls[0] if is_webhook else None,
        "urls": urls if kind is ChannelType.APPRISE else None,
        "format": one.format.value if is_webhook else None,
        "headers": dict(one.headers) if is_webhook else None,
        **ladder(one.delays_s, one.jitter),
    }


def _hook(one: Hook, channels: Mapping[str, Channel]) -> Table:
    shown = table(one, fields.HOOK)
    if not one.channel.startswith(OF_HOOKS):
        return {key: value for key, value in shown.items() if value or key in {"jobs", "tags"}}
    own = channels[one.channel]
    return {
        **shown,
        "channel": None,
        "to": None,
        "argv": list(own.argv),
        "name": one.channel.removeprefix(OF_HOOKS),
        "timeout": duration(own.timeout_s),
        "max_attempts": own.max_attempts,
    }


def _workflow(one: Job, whole: Workflow, config: Config) -> Table:
    section = workflowfields.WORKFLOW
    steps = {step.name: _step(one, step, config) for step in whole.steps}
    shown = {
        **table(one, section),
        **table(whole, section),
        **{key: value for key, value in tables(one, {}).items() if key in section.tables},
        "watch": watch(one),
        "params": dict(whole.params),
    }
    shown |= {key: None for key in without_meaning(one) if key in shown}
    return {**shown, "steps": steps, "defined_at": f"{one.file}:{one.line}"}


def _step(one: Job, step: Step, config: Config) -> Table:
    """Return a step; one with a command of its own has that of its job."""
    section = workflowfields.STEP
    shown = table(step, section)
    if not step.needs:
        shown |= {"on": None, "when": None}
    inline = config.job(step.job) if step.job == f"{one.name}.{step.name}" else None
    if inline is None or inline.step_of != one.name:
        approval = step.approval and table(step.approval, fields.APPROVAL)
        if step.is_unasked:
            approval = {"required": False}
        return {**shown, "retry": step.retry and retry(step.retry), "approval": approval}
    own = {**table(inline, section), **tables(inline, config.defaults), **program(inline)}
    own = {key: value for key, value in own.items() if key in section.known()}
    return {**shown, **own, "job": None, "env": dict(step.env)}
