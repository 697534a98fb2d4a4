"""``job.list`` and the methods that change what jobs are: all of it through managed.toml."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import trio

from claw.commands.method import VIEWER
from claw.config import origins, renewal, setting
from claw.config.managed import Managed, as_toml
from claw.config.setting import Change, Op
from claw.errors import ConflictError, UsageError
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.engine import definitions
from claw.master.handlers import addable
from claw.master.wiring import Json
from claw.model.job import Config, Job
from claw.model.masking import unseen

MANAGED = "managed"


async def list_(call: Call, params: Params) -> Json:
    """Tell which jobs there are, and where they are defined."""
    config, wanted = call.services.config.current, params.get("targets") or [targets.ALL]
    names = targets.choose_jobs(config, wanted)
    jobs = [job for name in sorted(names) if (job := config.job(name))]
    found = [job for job in jobs if job.transient is None]
    return {"jobs": [_listed(job) for job in found]}


def _listed(job: Job) -> Json:
    return {
        "name": job.name,
        "type": job.type,
        "enabled": job.enabled,
        "tags": list(job.tags),
        "schedule": list(job.schedule),
        "run_at": job.run_at.isoformat() if job.run_at else None,
        "command": job.command or " ".join(job.argv) or _steps(job),
        "description": job.description,
        "origin": job.origin or None,
        "file": job.file,
        "line": job.line,
    }


def _steps(job: Job) -> str:
    names = [] if job.workflow is None else [step.name for step in job.workflow.steps]
    return f"steps {', '.join(names)}" if names else ""


def _check_alone(job: Job) -> None:
    """Refuse what belongs to a workflow: people write those into files themselves.

    Raises:
        ConflictError: It does.
    """
    name = job.step_of or job.name
    if job.step_of or job.workflow is not None:
        what = f"a step of workflow {name!r}" if job.step_of else "a workflow"
        raise ConflictError(
            f"{job.name!r} is {what}, defined in {job.file}:{job.line}",
            hint=f"clawctl workflow show {name}; edit the file, then clawctl reload",
        )


async def definition(call: Call, params: Params) -> Json:
    """Tell what a job is, and who says it."""
    services = call.services
    config, name = services.config.current, params["job"]
    job = await services.store.read(lambda tx: definitions.recall(tx, config, name))
    if job is None:
        raise targets.no_job(config, name)
    if job.transient is not None:
        return await _of_transient(call, job)
    _check_alone(job)
    look = partial(origins.definition, services.config.place, name, job.file)
    found = await trio.to_thread.run_sync(look)
    if found is None:
        raise ConflictError(
            f"the files on disk no longer define job {name!r}", hint="clawctl reload"
        )
    show = _shown_to(call.peer.role)
    table, managed = show(dict(found.table)), show(dict(found.managed))
    return {
        **_listed(job),
        "values": [
            {
                "key": ".".join(one.key),
                "value": show(one.value, one.key),
                "by": one.by,
                "file": one.file,
                "line": one.line,
            }
            for one in found.values
        ],
        "table": origins.plain(dict(table)),
        "toml": as_toml({"jobs": {name: table}}),
        "managed": as_toml({"jobs": {name: managed}}) if managed else None,
    }


async def _of_transient(call: Call, job: Job) -> Json:
    """Return what is known of a job that is there for one run only."""
    stored = await call.services.store.read(lambda tx: tx.transient(job.name)) or {}
    show = _shown_to(call.peer.role)
    table = show(stored.get("table", {}))
    return {
        **_listed(job),
        "values": [
            {"key": ".".join(key), "value": value, "by": "run", "file": "", "line": 0}
            for key, value in origins.leaves(table)
        ],
        "table": table,
        "toml": as_toml({"jobs": {job.name: table}}),
        "managed": None,
    }


def _shown_to(role: str) -> Callable[..., Any]:
    """Return what shows a value, at the end of a path of keys, to a role."""
    return unseen if role == VIEWER else _as_it_is


def _as_it_is(value: object, _path: tuple[str, ...] = ()) -> object:
    return value


async def add(call: Call, params: Params) -> Json:
    """Add whole jobs, all or none; with ``update`` those that were imported are renewed."""
    origin, given = f"cli:{call.peer.uid}", params["jobs"]
    names: dict[str, str] = {}
    left: dict[str, str] = {}

    def edit(managed: Managed) -> None:
        names.update(renewal.placed(managed, given, params.get("unnamed", ())))
        tables = {names[name]: table for name, table in given.items()}
        if params.get("update"):
            left.update(renewal.renew(managed, tables, origin))
            return
        for name, table in tables.items():
            managed.add(name, table, origin=origin)

    known = call.services.config.current

    def check(config: Config) -> None:
        addable.times_check(names.values(), known, is_guest=False)(config)

    done = await _change(call, params, edit, check)
    return {**done, "left": [{"job": name, "why": why} for name, why in left.items()]}


async def validate(call: Call, params: Params) -> Json:
    """Tell whether jobs could be added, or could take the place of managed ones."""

    def edit(managed: Managed) -> None:
        for name, table in params["jobs"].items():
            if name in managed.jobs or managed.written(name) is not None:
                managed.replace(name, table)
            else:
                managed.add(name, table, origin="")

    return await _change(call, {"dry_run": True}, edit)


async def replace(call: Call, params: Params) -> Json:
    """Put another table in place of what managed.toml says of a job."""

    def edit(managed: Managed) -> None:
        name = params["job"]
        if "was" in params and params["was"] != as_toml(
            {"jobs": {name: managed.jobs.get(name, {})}}
        ):
            raise ConflictError(f"job {name!r} was changed meanwhile", hint="edit it again")
        managed.replace(name, params["table"])

    return await _change(call, params, edit)


async def set_(call: Call, params: Params) -> Json:
    """Change some keys of jobs."""
    changes = [_read(one) for one in params["changes"]]
    return await _change_each(call, params, changes)


def _read(one: str | Mapping[str, Any]) -> Change:
    if isinstance(one, str):
        return setting.read(one)
    return Change(setting.path_of(one["key"]), Op(one.get("op", Op.SET)), one.get("value"))


async def tag(call: Call, params: Params) -> Json:
    """Give jobs more tags."""
    return await _change_each(call, params, [Change(("tags",), Op.ADD, params["tags"])])


async def untag(call: Call, params: Params) -> Json:
    """Take tags from jobs; those that a job does not have are no mistake if another has."""
    names = _names(call, params)
    config = call.services.config.current
    held = {name: set(job.tags) for name in names if (job := config.job(name))}
    for one in params["tags"]:
        if not any(one in tags for tags in held.values()):
            raise UsageError(f"none of {', '.join(names)} has the tag {one!r}")

    def edit(managed: Managed) -> None:
        for name in names:
            gone = [one for one in params["tags"] if one in held[name]]
            if gone:
                managed.change(name, [Change(("tags",), Op.TAKE, gone)])

    return await _change(call, params, edit)


async def enable(call: Call, params: Params) -> Json:
    """Have jobs begin things again."""
    return await _switch(call, params, on=True)


async def disable(call: Call, params: Params) -> Json:
    """Have jobs begin nothing new, until they are enabled."""
    return await _switch(call, params, on=False)


async def _switch(call: Call, params: Params, *, on: bool) -> Json:
    names = _names(call, params)

    def edit(managed: Managed) -> None:
        for name in names:
            managed.switch(name, on=on)

    return await _change(call, params, edit)


async def remove(call: Call, params: Params) -> Json:
    """Remove managed jobs, or what overrides those of other files."""
    wanted: Sequence[str] = params["targets"]
    is_override = params.get("override", False)
    names = [one for one in wanted if not targets.is_pattern(one)]
    patterns = [one for one in wanted if targets.is_pattern(one)]
    if patterns:
        names += targets.choose_jobs(call.services.config.current, patterns)

    def edit(managed: Managed) -> None:
        for name in dict.fromkeys(names):
            managed.remove(name, override=is_override)

    return await _change(call, params, edit)


def _names(call: Call, params: Params) -> tuple[str, ...]:
    """Return the jobs that are to be changed; those of single runs are no part of a pattern."""
    config = call.services.config.current
    found: list[str] = []
    for name in targets.choose_jobs(config, params["targets"]):
        job = config.job(name)
        if job is not None and name in params["targets"]:
            _check_alone(job)
        if job is None or name in params["targets"] or _is_of_a_file(job):
            found.append(name)
    return tuple(found)


def _is_of_a_file(job: Job) -> bool:
    return job.transient is None and job.workflow is None and not job.step_of


async def _change_each(call: Call, params: Params, changes: Sequence[Change]) -> Json:
    names = _names(call, params)

    def edit(managed: Managed) -> None:
        for name in names:
            managed.change(name, changes)

    return await _change(call, params, edit)


async def _change(
    call: Call,
    params: Params,
    edit: Callable[[Managed], None],
    check: Callable[[Config], None] | None = None,
) -> Json:
    return await call.services.reload(
        dry_run=params.get("dry_run", False),
        restart=params.get("restart", True),
        edit=edit,
        check=check,
        by=call.by,
    )
