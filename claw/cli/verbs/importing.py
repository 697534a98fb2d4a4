"""``import``: jobs from the files of other programs."""

from __future__ import annotations

import os
import sys

from claw.cli import terminal
from claw.config.importers import sources, writing
from claw.config.importers.imported import Options
from claw.config.importers.registry import IMPORTERS
from claw.config.importers.settling import settle
from claw.errors import RequestError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from claw.cli.context import Context
    from claw.config.importers.imported import Harvest
    from claw.config.importers.registry import Importer
    from claw.config.importers.sources import Source

    Table = dict[str, Any]


def import_jobs(context: Context) -> int:
    """Print the jobs that files describe, or add them."""
    args = context.args
    importer, cwd = IMPORTERS[args["kind"]], os.getcwd()  # noqa: PTH109
    found = list(_sources(args["files"], importer, cwd))
    options = Options(
        system=args["system"],
        user=args["user"] or "",
        env=args["env"] or "",
        environ=dict(os.environ),
        cwd=cwd,
        uid=os.geteuid(),
    )
    harvest = _harvest(importer, found, options)
    if not harvest.jobs:
        _warn(harvest)
        raise RequestError(f"nothing in {', '.join(args['files'])} can be imported")
    if args["update"] and not (args["apply"] or args["dry_run"]):
        raise UsageError("--update needs --apply, or --dry-run")
    if args["apply"] or args["dry_run"]:
        return _apply(context, harvest)
    context.show(_reply(args["kind"], found, harvest))
    return 0


def _harvest(importer: Importer, found: list[Source], options: Options) -> Harvest:
    try:
        harvest = importer.reads(found, options)
        settle(harvest, options.uid)
    except RecursionError:
        names = ", ".join(one.file for one in found)
        raise UsageError(f"{names}: nested too deeply to be read") from None
    return harvest


def _sources(paths: list[str], importer: Importer, cwd: str) -> Iterator[Source]:
    if len(paths) > 1 and sources.STDIN in paths:
        raise UsageError("standard input (-) stands alone")
    if paths == [sources.STDIN]:
        yield sources.given(sys.stdin.buffer, cwd)
        return
    for path in paths:
        other = importer.finds(path, cwd) if importer.finds else None
        if other is not None:
            yield other
            continue
        found = list(sources.within(path, cwd, importer.endings))
        if not found:
            raise UsageError(f"{path} has no files of that kind")
        for one in found:
            yield sources.read(one, cwd)


def _warn(harvest: Harvest) -> None:
    for line in harvest.warnings():
        terminal.warn(line)


def _reply(kind: str, found: list[Source], harvest: Harvest) -> Table:
    notes = harvest.all_notes()
    return {
        "kind": kind,
        "files": [one.file for one in found],
        "jobs": {job.name: job.table for job in harvest.jobs},
        "notes": [
            {"file": one.file, "line": one.line or None, "key": one.key or None,
             "text": one.text}
            for one in notes
        ],
        "toml": writing.text_of(harvest),
        "warnings": harvest.warnings(),
    }  # fmt: skip


def _apply(context: Context, harvest: Harvest) -> int:
    """Have the daemon take the jobs into managed.toml: all of them, or none."""
    args = context.args
    jobs = {
        job.name: {**job.table, "origin": f"import:{os.path.abspath(job.file)}"}  # noqa: PTH100
        for job in harvest.jobs
    }
    reply = context.call(
        "job.add",
        jobs=jobs,
        unnamed=[job.name for job in harvest.jobs if job.is_unnamed] or None,
        update=args["update"] or None,
        dry_run=args["dry_run"] or None,
    )
    context.show_as(reply, "managed")
    if not context.is_json:
        _warn(harvest)
        for one in reply.get("left", ()):
            terminal.warn(f"job {one['job']}: {one['why']}")
    return 0
