"""ProcClaw's jobs: a YAML file for each in ``~/.procclaw/jobs``, or the older ``jobs.yaml``.

What ProcClaw documents is carried over, also where it did not do it itself. Its traps: a job
without a ``timezone`` runs by São Paulo's clock, and keys that it does not know it passes over.
"""

from collections.abc import Sequence
from pathlib import PurePath

from claw.config.importers import procclawkeys, yamlfile
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.sources import Source
from claw.config.importers.values import Table, table, text, texts
from claw.config.importers.yamlfile import Whole
from claw.errors import UsageError

_COMPOSED = {"chain": "chain", "group": "group", "chord": "chord"}


def read(sources: Sequence[Source], _options: Options) -> Harvest:
    """Return the jobs of ProcClaw's files.

    Raises:
        UsageError: One has no job.
    """
    harvest = Harvest()
    made: dict[str, tuple[Draft, Table]] = {}
    for source in sources:
        whole = yamlfile.read(source.text, source.file)
        found = _jobs(whole, source)
        if not found:
            raise UsageError(f"{source.file} has no job of ProcClaw: a job has name and cmd")
        for name, job in found.items():
            path = ("jobs", name) if "jobs" in table(whole.value) else ()
            draft = _make(harvest, source, whole, (name, job), path)
            if draft is not None:
                made[name] = draft, job
    drafts = {name: draft for name, (draft, _) in made.items()}
    for draft, job in made.values():
        procclawkeys.put_dependencies(draft, job, drafts)
    return harvest


def _jobs(whole: Whole, source: Source) -> dict[str, Table]:
    """Return the jobs of a file by their ids; one alone has that of its file."""
    value = table(whole.value)
    several = value.get("jobs")
    if isinstance(several, dict):
        return {text(name): table(job) for name, job in several.items()}
    if value.keys() & {"cmd", "steps", "jobs", "callback"}:
        return {text(value.get("id")) or PurePath(source.name).stem: value}
    return {}


def _make(
    harvest: Harvest,
    source: Source,
    whole: Whole,
    named: tuple[str, Table],
    path: tuple[str, ...],
) -> Draft | None:
    name, job = named
    line = whole.line(*path)
    kind = text(job.get("type")) or "manual"
    if kind in _COMPOSED:
        steps = texts(job.get("steps") or job.get("jobs"))
        callback = texts(job.get("callback"))
        shown = " ".join([*steps, *([f"and then {callback[0]}"] if callback else [])])
        harvest.tell(
            source.file, line, name, f"left out: a {kind} of {shown}: write [workflows.{name}]"
        )
        return None
    if not text(job.get("cmd")):
        harvest.tell(source.file, line, name, f"left out: a job of type {kind} without cmd")
        return None
    draft = harvest.job(name, source.file, line)

    def tell(key: str, why: str) -> None:
        draft.tell(key, why, whole.line(*path, *key.split(".")))

    procclawkeys.put_all(draft, job, kind, tell)
    return draft
