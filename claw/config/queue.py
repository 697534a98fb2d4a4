"""What jobs say of their place in the queue, and the pools that they share.

A pool that is not there, or that has fewer slots than a run takes, is refused.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from claw.config.check import BrokenError, Checker, Values
from claw.config.fields import DEDUP, POOL, JobKeys
from claw.config.keys.queue import DedupKeys, PoolKeys, pool_name
from claw.config.kinds import nearest, show
from claw.config.locate import Path
from claw.config.table import Field
from claw.model.dedup import Dedup
from claw.model.job import Job, JobType

_make_dedup: Callable[..., Dedup] = Dedup
_AS_THEY_ARE: tuple[Field[object], ...] = tuple(
    field  # type: ignore[misc]
    for field in (JobKeys.priority, JobKeys.pool, JobKeys.on_pool_busy, JobKeys.lock)
)


def queue_values(values: Values) -> dict[str, object]:
    """Return the attributes of a job that its place in the queue depends on."""
    own = values.table("dedup")
    return {
        **{field.attr: values[field] for field in _AS_THEY_ARE},
        "dedup": _make_dedup(**{one.attr: own[one] for one in DEDUP.fields.values()}),
    }


def faults(values: Values, kind: JobType) -> Iterator[tuple[Path, str]]:
    """Yield what is wrong with how the runs of a job are held against each other."""
    if not values.says_table("dedup"):
        return
    if kind is JobType.CONTINUOUS:
        yield ("dedup",), "a continuous job has one run, from start to stop: remove it"
        return
    own, window = values.table("dedup"), DedupKeys.window
    if own[window] or own.beneath(window):  # 0 takes back what [defaults] has
        return
    if own.says(window):
        yield ("dedup", "window"), "0 means never: remove it, or say for how long"
    else:
        yield ("dedup",), 'without a window it has no effect: add one, like window = "10m"'


def read(checker: Checker, raw: object) -> dict[str, int | None]:
    """Return the slots of each pool; None: they were refused, and the report says why."""
    found: dict[str, int | None] = {}
    for name, given in (checker.table(raw, ("pools",)) or {}).items():
        path = ("pools", name)
        try:
            pool_name(name)
        except ValueError as error:
            checker.wrong(path, str(error))
        table = checker.table(given, path)
        values = None if table is None else checker.section(POOL, table, path)
        try:
            found[name] = None if values is None else values[PoolKeys.slots]
        except BrokenError:
            found[name] = None
    return found


def mistakes(jobs: Iterable[Job], pools: Mapping[str, int | None]) -> Iterator[tuple[Job, str]]:
    """Yield the jobs whose pool cannot be had, with what is wrong."""
    for job in jobs:
        if job.pool is None:
            continue
        name, wanted = job.pool.name, job.pool.slots
        if name not in pools:
            near = nearest(name, list(pools)) or f"; pools are defined as [pools.{name}]"
            yield job, f"there is no pool {show(name)}{near}"
            continue
        slots = pools[name]
        if slots is not None and wanted > slots:
            yield (
                job,
                f"pool {show(name)} has {slots} slots, and no run could ever get {wanted}",
            )
