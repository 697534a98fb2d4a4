"""``trigger``: what a job says of the jobs that it follows, and what all of them may say.

A trigger after a job that is not there, on what can never be known of it, or that leads back
to where it came from, or too far, is refused when the files are read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from claw.config.check import Values
from claw.config.fields import TRIGGER
from claw.config.keys.trigger import TriggerKeys
from claw.config.kinds import nearest, show
from claw.config.locate import Path
from claw.model.handout import namesakes
from claw.model.job import Job, JobType
from claw.model.lineage import MAX_DEPTH
from claw.model.trigger import Trigger, Triggers

_make: Callable[..., Trigger] = Trigger
_KEY = "trigger"
_NAMED = 12
"""So many jobs of a long way round are named."""

Mistake = tuple[Job, Path, str]


def contradictions(values: Values) -> Iterator[tuple[Path, str]]:
    """Yield what a job's table, or ``[defaults]``, says in vain, whatever else is said."""
    table = values.table(_KEY)
    after = table.or_default(TriggerKeys.after)
    if table.says(TriggerKeys.join) and after is not None and len(after) == 1:
        yield (_KEY, "join"), "of one job alone there is nothing to join: remove it"


def faults(values: Values, kind: JobType) -> Iterator[tuple[Path, str]]:
    """Yield what is wrong with a job's trigger by itself."""
    if not values.says_table(_KEY):
        return
    if kind is JobType.CONTINUOUS:
        yield (_KEY,), "a continuous job runs all the time, after no other: use depends_on"
    elif values.table(_KEY)[TriggerKeys.after] is None:
        yield (_KEY,), 'it names no job to follow: add after = "NAME"'


def trigger(values: Values) -> Trigger | None:
    """Return what a job follows; None: no job. ``[defaults]`` alone makes nothing follow."""
    if not values.says_table(_KEY):
        return None
    table = values.table(_KEY)
    said = {field.attr: table[field] for field in TRIGGER.fields.values()}
    return _make(**said)


def mistakes(
    jobs: Iterable[Job], names: set[str], place: Callable[[Job], str]
) -> Iterator[Mistake]:
    """Yield what is wrong with the triggers of all jobs together: whose, where, what.

    Args:
        jobs: Those that are well in themselves.
        names: Of all jobs, those with mistakes of their own among them.
        place: Tells where a job's trigger stands.
    """
    by_name = {job.name: job for job in jobs}
    triggers = {job.name: job.trigger for job in by_name.values() if job.trigger}
    found = [
        (by_name[name], (_KEY, "after"), text)
        for name, one in triggers.items()
        for text in _problems(name, one, by_name, names)
    ]
    yield from found
    wrong = {job.name for job, _way, _text in found}
    sound = {name: one for name, one in triggers.items() if name not in wrong}
    yield from _ways(sound, by_name, place)


def _problems(
    name: str, one: Trigger, jobs: Mapping[str, Job], names: set[str]
) -> Iterator[str]:
    for parent in one.after:
        if parent == name:
            yield f"{name} follows itself: remove it"
        elif parent not in names:
            near = nearest(parent, sorted(names)) or "; jobs are defined as [jobs.NAME]"
            yield f"there is no job {show(parent)}{near}"
        elif _is_blind(one, jobs.get(parent)):
            yield (
                f"{parent} is continuous, and what a service prints is not looked at:"
                " when can only be exit:CODE here"
            )
    yield from _namesakes(one)


def _namesakes(one: Trigger) -> Iterator[str]:
    for first, second, word in namesakes(one.after) if one.is_joined else ():
        yield (
            f"{first} and {second} would both be told as CLAW_PARENT_{word}_...: rename one of"
            ' them, or set join = "any"'
        )


def _is_blind(one: Trigger, parent: Job | None) -> bool:
    if parent is None or parent.type is not JobType.CONTINUOUS:
        return False
    return one.when is not None and not one.when.is_of_exit


def _ways(
    triggers: Mapping[str, Trigger], jobs: Mapping[str, Job], place: Callable[[Job], str]
) -> Iterator[Mistake]:
    """Yield a way that leads back, or one that is too long."""
    graph = Triggers(triggers)
    cycle = graph.cycle()
    if cycle:
        last = jobs[cycle[0]]
        steps = [f"{name} ({place(jobs[name])})" for name in cycle[:_NAMED]]
        more = [f"... {len(cycle) - _NAMED} more"] if len(cycle) > _NAMED else []
        around = " > ".join([*steps, *more, cycle[0]])
        text = f"the jobs begin each other in a circle: {around}: remove one of these triggers"
        yield last, (_KEY, "after"), text
        return
    way = graph.too_long()
    if way:
        text = (
            f"at most {MAX_DEPTH} jobs may follow each other after the first, and these are"
            f" {len(way) - 1}: {' > '.join(way)}"
        )
        yield jobs[way[-1]], (_KEY, "after"), text
