"""What becomes of the jobs when one configuration takes the place of another.

By value: a job whose definition reads the same is not touched, wherever it now stands.
"""

from dataclasses import dataclass, fields

from claw.config.fields import BACKUP, CONTROL, DAEMON, JOB, LOCKS, RETENTION, SECRETS
from claw.config.table import Applies, Section
from claw.model.checks import is_same_for_child
from claw.model.job import Config, Job, JobType

_PLACE = frozenset({"file", "line"})
_PROGRAM = frozenset({"argv", "uses_shell", "command"})
_LIVE_IN = {
    name: frozenset(
        field.attr for field in table.fields.values() if field.applies is not Applies.RESTART
    )
    for name, table in JOB.tables.items()
}
"""For each table in a job's: what in it asks for no restart of a running child."""
_FIELDS = {field.attr: field for field in JOB.fields.values()}
_LIVE = frozenset(
    field.name for field in JOB.fields.values() if field.applies is not Applies.RESTART
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The difference between two configurations.

    Attributes:
        add: Jobs that are new.
        live: Jobs that change without anything being restarted, with the keys changed.
        restart: Services whose running child must be restarted, with the keys that ask
            for it.
        remove: Jobs that are gone.
        daemon: Keys of the daemon's own tables that changed.
    """

    add: tuple[str, ...] = ()
    live: tuple[tuple[str, tuple[str, ...]], ...] = ()
    restart: tuple[tuple[str, tuple[str, ...]], ...] = ()
    remove: tuple[str, ...] = ()
    daemon: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing changes."""
        return not (self.add or self.live or self.restart or self.remove or self.daemon)


def plan(old: Config, new: Config) -> Plan:
    """Return what changes from one configuration to the next, jobs by name."""
    before = {job.name: job for job in old.jobs}
    after = {job.name: job for job in new.jobs}
    changed = {
        name: keys
        for name in sorted(before.keys() & after.keys())
        if (keys := changed_keys(before[name], after[name]))
    }
    restart = {
        name: reasons
        for name, keys in changed.items()
        if (reasons := _restarting(before[name], after[name], keys))
    }
    return Plan(
        add=tuple(sorted(after.keys() - before.keys())),
        live=tuple((name, keys) for name, keys in changed.items() if name not in restart),
        restart=tuple(restart.items()),
        remove=tuple(sorted(before.keys() - after.keys())),
        daemon=_changed_daemon(old, new),
    )


def changed_keys(old: Job, new: Job) -> tuple[str, ...]:
    """Return the keys, as TOML has them, whose values differ between two definitions."""
    attrs = [
        field.name
        for field in fields(Job)
        if field.name not in _PLACE and getattr(old, field.name) != getattr(new, field.name)
    ]
    keys = [_FIELDS[attr].name if attr in _FIELDS else attr for attr in attrs]
    program = "command" if new.command else "argv"
    return tuple(dict.fromkeys(program if key in _PROGRAM else key for key in keys))


def _restarting(old: Job, new: Job, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys that a running child of a service can only take in by a restart."""
    if old.type is not JobType.CONTINUOUS:
        return ()
    return tuple(key for key in keys if key not in _LIVE and _matters(old, new, key))


def _matters(old: Job, new: Job, key: str) -> bool:
    """Tell whether a changed table holds a change that matters to a running child."""
    if key == "health":
        return not is_same_for_child(old.health, new.health)
    if key not in _LIVE_IN:
        return True
    before, after = getattr(old, key), getattr(new, key)
    if before is None or after is None:
        return any(
            field.applies is Applies.RESTART for field in JOB.tables[key].fields.values()
        )
    changed = {
        one.name
        for one in fields(before)
        if getattr(before, one.name) != getattr(after, one.name)
    }
    return bool(changed - _LIVE_IN[key])


def _changed_daemon(old: Config, new: Config) -> tuple[str, ...]:
    return tuple(
        f"{section.name}.{field.name}"
        for section in (DAEMON, CONTROL, RETENTION, LOCKS, SECRETS, BACKUP)
        for field in section.fields.values()
        if _said(old, section, field.attr) != _said(new, section, field.attr)
    ) + _changed_by_name(old, new)


def _changed_by_name(old: Config, new: Config) -> tuple[str, ...]:
    pools = sorted(dict(set(old.pools) ^ set(new.pools)))
    channels = sorted({one.name for one in set(old.channels) ^ set(new.channels)})
    hooks = ("hooks",) if old.hooks != new.hooks else ()
    roles = ("control.roles",) if old.daemon.roles != new.daemon.roles else ()
    return (
        *roles,
        *(f"pools.{name}" for name in pools),
        *(f"channels.{name}" for name in channels),
        *hooks,
    )


def _said(config: Config, section: Section, attr: str) -> object:
    tables: dict[str, object] = {
        LOCKS.name: config.locks,
        SECRETS.name: config.secrets,
        BACKUP.name: config.backup,
    }
    return getattr(tables.get(section.name, config.daemon), attr)
