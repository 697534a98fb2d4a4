"""From the tables ``[jobs.X.ready]`` and ``[jobs.X.health]`` to what they mean.

A key belongs to certain types; where the type takes it for something else, or not at all, it
is refused, with the type that it probably was written for.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import cast

from claw.config.check import BrokenError, Values
from claw.config.command import argv_of
from claw.config.fields import JobKeys
from claw.config.keys.probe import (
    HEALTH_KEYS_OF,
    NEEDED,
    READY_KEYS_OF,
    HealthKeys,
    ReadyKeys,
)
from claw.config.locate import Path
from claw.config.table import Field
from claw.model.checks import ALIVE_S, Health, Probe, Ready, ReadyType

FIRST_FD = 3
"""Of the sockets, sd_listen_fds(3)."""
_make_probe: Callable[..., Probe] = Probe
_make_ready: Callable[..., Ready] = Ready
_make_health: Callable[..., Health] = Health
_Keys = type[ReadyKeys] | type[HealthKeys]
_PROBE_KEYS = ("url", "expected_status", "expected_body", "address", "path")


def mistakes(values: Values) -> Iterator[tuple[Path, str]]:
    """Yield what contradicts in the two tables of a job, or of ``[defaults]``."""
    for name, keys, keys_of in (
        ("ready", ReadyKeys, READY_KEYS_OF),
        ("health", HealthKeys, HEALTH_KEYS_OF),
    ):
        if values.says_table(name):
            yield from _misplaced(name, values.table(name), keys, keys_of)


def lacks(values: Values) -> Iterator[tuple[Path, str]]:
    """Yield what a job's tables cannot do without and do not have."""
    for name, keys in (("ready", ReadyKeys), ("health", HealthKeys)):
        table = values.table(name)
        kind = str(table[_field(keys, "type")])
        key, example = NEEDED.get(kind, ("", ""))
        if key and table[_field(keys, key)] is None:
            where = (name, "type") if values.says_table(name) else ()
            yield where, f'{name}.type = "{kind}" needs {key}, like {key} = {example}'


def beside_sockets(values: Values) -> Iterator[tuple[Path, str]]:
    """Yield what cannot be known of, or given to, a job that is born with sockets."""
    count, table = len(values[JobKeys.sockets]), values.table("ready")
    where: Path = ("ready", "type") if values.says_table("ready") else ()
    kind = table[ReadyKeys.type]
    if count and kind is ReadyType.TCP:
        yield where, 'with sockets, claw itself would answer: use another type, like "http"'
    if kind is ReadyType.FD and table[ReadyKeys.fd] < FIRST_FD + count:
        taken = f"{FIRST_FD} to {FIRST_FD + count - 1}"
        yield ("ready", "fd") if where else (), f"the sockets are {taken}: use another number"


def _misplaced(
    name: str, table: Values, keys: _Keys, keys_of: Mapping[str, frozenset[str]]
) -> Iterator[tuple[Path, str]]:
    try:
        kind = str(table[_field(keys, "type")])
    except BrokenError:
        return
    for key in sorted({key for each in keys_of.values() for key in each} - keys_of[kind]):
        if table.says(_field(keys, key)):
            fitting = [one for one in keys_of if key in keys_of[one]]
            yield (name, key), _belongs_elsewhere(key, kind, fitting)


def _belongs_elsewhere(key: str, kind: str, fitting: list[str]) -> str:
    if len(fitting) == 1:
        return f'{key} is for type = "{fitting[0]}", not "{kind}": remove it, or set that'
    return f'{key} has no meaning with type = "{kind}", only with {", ".join(fitting)}'


def _field(keys: _Keys, key: str) -> Field[object]:
    found: Field[object] = vars(keys)[key]
    return found


def ready(values: Values) -> Ready:
    """Return how a job is known to be ready."""
    table = values.table("ready")
    kind = table[ReadyKeys.type]
    delay = table[ReadyKeys.delay] if kind is ReadyType.DELAY else None
    return _make_ready(
        type=kind,
        timeout_s=table[ReadyKeys.timeout],
        interval_s=table[ReadyKeys.interval],
        probe=_probe(table, ReadyKeys, values),
        pattern=table[ReadyKeys.pattern] or "",
        fd=table[ReadyKeys.fd],
        delay_s=ALIVE_S if delay is None else delay,
    )


def health(values: Values) -> Health | None:
    """Return how a job is known to be well, None when nobody asks for that."""
    beneath = values.beneath_table("health")
    if not values.says_table("health") and not (beneath and beneath.has(HealthKeys.type)):
        return None
    table = values.table("health")
    return _make_health(
        type=table[HealthKeys.type],
        interval_s=table[HealthKeys.interval],
        timeout_s=table[HealthKeys.timeout],
        start_period_s=table[HealthKeys.start_period],
        failures=table[HealthKeys.failures],
        action=table[HealthKeys.action],
        watchdog_s=table[HealthKeys.watchdog],
        probe=_probe(table, HealthKeys, values),
    )


def _probe(table: Values, keys: _Keys, job: Values) -> Probe:
    said = {key: table[_field(keys, key)] for key in _PROBE_KEYS}
    command = cast("str | None", table[_field(keys, "command")])
    return _make_probe(
        **{key: value for key, value in said.items() if value is not None},
        max_age_s=table[_field(keys, "max_age")],
        argv=argv_of(command, job[JobKeys.shell])[0] if command else (),
    )
