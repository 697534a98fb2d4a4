"""Names for completion, by kind; each kind is one short function over what is held or stored.

Of what may be without number, only the newest are looked at.
"""

from collections.abc import Callable, Iterator, Mapping

from claw.model import ids, uses
from claw.model.delivery import DeliveryState
from claw.model.job import Config, Job
from claw.store.placerows import Place
from claw.store.records import Tx

LOOKED_AT = 2000
"""So many runs are looked at for those whose names begin with what is typed."""
_SHOWN_RUNS = 30
"""So many are enough where nothing is typed yet."""
_BATCHES = 50
_SAYS = 60

Name = tuple[str, str]
"""What is typed, and what it is."""
Source = Callable[[Tx, Config, str], Iterator[Name]]


def names(tx: Tx, config: Config, kind: str, prefix: str, limit: int) -> list[Name]:
    """Return names of a kind that begin with a text, in the order of being offered."""
    found: dict[str, str] = {}
    for name, says in SOURCES[kind](tx, config, prefix):
        if name.startswith(prefix) and name not in found:
            found[name] = says
            if len(found) == limit:
                break
    return list(found.items())


def _jobs(_tx: Tx, config: Config, _prefix: str) -> Iterator[Name]:
    for job in config.known:
        yield job.name, _title_of(job)


def _title_of(job: Job) -> str:
    text = job.title or job.description or job.command
    return f"{job.type}: {' '.join(text.split())}"[:_SAYS]


def _targets(tx: Tx, config: Config, prefix: str) -> Iterator[Name]:
    yield from _jobs(tx, config, prefix)
    yield "all", "every job"
    if prefix.startswith("tag:"):
        yield from ((f"tag:{tag}", says) for tag, says in _tags(tx, config, prefix))
    elif "tag:".startswith(prefix):
        yield from [("tag:", "jobs with a tag")] if any(_tags(tx, config, "")) else []
    if "@" in prefix:
        name = prefix.partition("@")[0]
        job = config.job(name)
        for number in range(1, 1 + (job.instances if job else 0)):
            yield f"{name}@{number}", "instance"


def _tags(_tx: Tx, config: Config, _prefix: str) -> Iterator[Name]:
    counts: dict[str, int] = {}
    for job in config.known:
        for tag in job.tags:
            counts[tag] = counts.get(tag, 0) + 1
    for tag, count in sorted(counts.items()):
        yield tag, f"{count} job{'s' if count > 1 else ''}"


def _workflows(tx: Tx, config: Config, prefix: str) -> Iterator[Name]:
    for job in config.known:
        if job.workflow is not None:
            yield job.name, _title_of(job)
    yield from _places(tx.places("workflow", _number_for(prefix)), prefix)


def _events(_tx: Tx, config: Config, _prefix: str) -> Iterator[Name]:
    for job in config.listening:
        for pattern in job.events:
            yield pattern, f"starts {job.name}"


def _runs(tx: Tx, _config: Config, prefix: str) -> Iterator[Name]:
    yield from _places(tx.places("newest", _number_for(prefix)), prefix)


def _open(tx: Tx, _config: Config, prefix: str) -> Iterator[Name]:
    yield from _places(tx.places("open", _number_for(prefix)), prefix)


def _dead(tx: Tx, _config: Config, prefix: str) -> Iterator[Name]:
    yield from _places(tx.places("dead", _number_for(prefix)), prefix)


def _number_for(prefix: str) -> int:
    return LOOKED_AT if prefix else _SHOWN_RUNS


def _places(found: tuple[Place, ...], prefix: str) -> Iterator[Name]:
    for one in found:
        yield _as_typed(one.id, prefix), f"{one.job}: {one.state}"


def _as_typed(run: str, prefix: str) -> str:
    """Return an id in the way that somebody has begun to type it: its end, or as a whole."""
    short = ids.short(run)
    return run if run.startswith(prefix) and not short.startswith(prefix) else short


def _pending(tx: Tx, _config: Config, prefix: str) -> Iterator[Name]:
    for one in tx.pending_approvals(limit=_number_for(prefix)):
        yield _as_typed(one.run, prefix), f"{one.job}: waits for approval"


def _batches(tx: Tx, _config: Config, prefix: str) -> Iterator[Name]:
    for batch in tx.newest_batches(_BATCHES):
        yield _as_typed(batch, prefix), "batch"


def _pools(_tx: Tx, config: Config, _prefix: str) -> Iterator[Name]:
    for name, slots in config.pools:
        yield name, f"pool of {slots}"


def _locks(tx: Tx, _config: Config, _prefix: str) -> Iterator[Name]:
    for hold in tx.holds():
        yield hold.name, "held"


def _keys(tx: Tx, _config: Config, prefix: str) -> Iterator[Name]:
    for key in tx.idem_keys(prefix, LOOKED_AT):
        yield key, ""


def _secrets(_tx: Tx, config: Config, _prefix: str) -> Iterator[Name]:
    for name, users in sorted(uses.of_secrets(config).items()):
        yield name, f"used by {', '.join(users)}"[:_SAYS]


def _channels(_tx: Tx, config: Config, _prefix: str) -> Iterator[Name]:
    for channel in config.channels:
        yield channel.name, f"channel of type {channel.type}"


def _aliases(tx: Tx, _config: Config, _prefix: str) -> Iterator[Name]:
    for alias in tx.aliases():
        yield f"@{alias.name}", f"alias of {alias.channel}"


def _deliveries(tx: Tx, _config: Config, _prefix: str) -> Iterator[Name]:
    for state in (DeliveryState.PENDING, DeliveryState.FAILED):
        for one in tx.deliveries(state=state):
            yield str(one.id), f"{one.channel}: {state}"


def _alerts(tx: Tx, _config: Config, _prefix: str) -> Iterator[Name]:
    for one in tx.open_alerts():
        yield str(one.id), f"{one.job or 'daemon'}: {one.kind}"


def _tokens(tx: Tx, _config: Config, _prefix: str) -> Iterator[Name]:
    for one in tx.bridges():
        yield one.id, f"for {', '.join(one.patterns)}"[:_SAYS]


SOURCES: Mapping[str, Source] = {
    "jobs": _jobs,
    "targets": _targets,
    "tags": _tags,
    "workflows": _workflows,
    "events": _events,
    "runs": _runs,
    "open": _open,
    "dead": _dead,
    "pending": _pending,
    "batches": _batches,
    "pools": _pools,
    "locks": _locks,
    "keys": _keys,
    "secrets": _secrets,
    "channels": _channels,
    "aliases": _aliases,
    "deliveries": _deliveries,
    "alerts": _alerts,
    "tokens": _tokens,
}
"""By kind: `claw.commands.calls_names.NAMED` has them all."""
