"""From ``[channels]`` and ``[[hooks]]`` to values, and what contradicts there."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from claw.config.check import BrokenError, Checker, Values
from claw.config.command import argv_of
from claw.config.fields import CHANNEL, HOOK
from claw.config.keys.channels import ChannelKeys, DeliveryKeys, HookKeys, channel_name
from claw.config.kinds import nearest, show
from claw.config.locate import Path
from claw.config.table import Field
from claw.model import backoff
from claw.model.channels import AnnounceMode, Announcing, Channel, ChannelType
from claw.model.hooks import Hook
from claw.model.job import Job, JobType

Fault = tuple[Path, str]
OF_HOOKS = "hook:"
"""What the names of channels begin with that are a hook's own command."""

_make_channel: Callable[..., Channel] = Channel
_make_hook: Callable[..., Hook] = Hook
_make_announcing: Callable[..., Announcing] = Announcing
_SHELL = "/bin/sh"
_DIGEST = 6
_TYPES: tuple[tuple[Field[object], ChannelType], ...] = (
    (ChannelKeys.command, ChannelType.COMMAND),  # type: ignore[assignment]
    (ChannelKeys.argv, ChannelType.COMMAND),
    (ChannelKeys.path, ChannelType.FILE),
    (ChannelKeys.url, ChannelType.WEBHOOK),
    (ChannelKeys.urls, ChannelType.APPRISE),
    (ChannelKeys.headers, ChannelType.WEBHOOK),
    (ChannelKeys.format, ChannelType.WEBHOOK),
)
_OF_OWN_COMMANDS: tuple[Field[object], ...] = (  # type: ignore[assignment]
    HookKeys.name,
    HookKeys.timeout,
    HookKeys.max_attempts,
)
_PLACES = 5
"""So many of them say of what type a channel is."""


@dataclass(slots=True)
class Outlets:
    """What the main file says of where messages go."""

    channels: dict[str, Channel | None] = field(default_factory=dict)  # None: refused
    hooks: list[tuple[int, Hook]] = field(default_factory=list)

    @property
    def all(self) -> tuple[Channel, ...]:
        """All channels, those of hooks among them, by name."""
        return tuple(one for _, one in sorted(self.channels.items()) if one is not None)


def read(checker: Checker, tables: Mapping[str, object]) -> Outlets:
    """Return what a file says; what is wrong with it is reported."""
    found = Outlets()
    for name, raw in (checker.table(tables.get("channels", {}), ("channels",)) or {}).items():
        found.channels[name] = _channel(checker, name, raw)
    raw_hooks = tables.get("hooks", [])
    if not isinstance(raw_hooks, list):
        checker.wrong(("hooks",), f"tables are expected, not {show(raw_hooks)}: [[hooks]]")
        return found
    for index, raw in enumerate(raw_hooks):
        _take_hook(checker, index, raw, found)
    for index, hook in found.hooks:
        problem = target_problem(found.channels, hook.channel, hook.to)
        if problem and not hook.channel.startswith(OF_HOOKS):
            checker.wrong(("hooks", index, problem[0]), problem[1])
    return found


# -- channels -------------------------------------------------------------------------------


def _channel(checker: Checker, name: str, raw: object) -> Channel | None:
    path = ("channels", name)
    try:
        channel_name(name)
    except ValueError as error:
        checker.wrong(path, str(error))
    table = checker.table(raw, path)
    if table is None:
        return None
    before = len(checker.report)
    values = checker.section(CHANNEL, table, path)
    try:
        for way, text in _faults(values):
            checker.wrong((*path, *way), text)
        if len(checker.report) > before:
            return None
        return _made(name, values)
    except BrokenError:
        return None


def _type_of(values: Values) -> ChannelType | None:
    given = values[ChannelKeys.type]
    if given is not None:
        return given
    return next((kind for key, kind in _TYPES[:_PLACES] if values.says(key)), None)


def _faults(values: Values) -> Iterator[Fault]:
    kind = _type_of(values)
    if kind is None:
        yield (), "where to? add command, path, url or urls"
        return
    for key, owner in _TYPES:
        if values.says(key) and owner is not kind:
            yield (key.name,), f"only for {owner} channels, and this one is {kind}: remove it"
    places = [key for key, owner in _TYPES[:_PLACES] if owner is kind]
    if not any(values[key] for key in places):
        yield (), f"a {kind} channel needs {' or '.join(key.name for key in places)}: add it"
    yield from _twice(values)
    if values[ChannelKeys.path] and not values[ChannelKeys.path].startswith("/"):
        yield ("path",), "it has to be an absolute path"
    if not values[ChannelKeys.timeout]:
        yield ("timeout",), "0 leaves no time for anything: write how long a try may take"


def _twice(values: Values) -> Iterator[Fault]:
    if values.says(ChannelKeys.command) and values.says(ChannelKeys.argv):
        yield ("argv",), "command and argv contradict each other: keep one of them"
    if values.says(ChannelKeys.preset) and values.says(ChannelKeys.delays):
        yield ("delays",), "preset and delays contradict each other: keep one of them"


def _made(name: str, values: Values) -> Channel:
    url, delays, jitter = values[ChannelKeys.url], values[ChannelKeys.delays], 0.0
    if delays is None:
        delays, jitter = backoff.PRESETS[values[ChannelKeys.preset] or "webhook"]
    return _make_channel(
        name=name,
        type=_type_of(values),
        argv=_argv(values[ChannelKeys.command], values[ChannelKeys.argv]),
        path=values[ChannelKeys.path],
        urls=values[ChannelKeys.urls] if url is None else (url,),
        format=values[ChannelKeys.format],
        headers=values[ChannelKeys.headers],
        timeout_s=values[ChannelKeys.timeout],
        delays_s=delays,
        jitter=jitter,
        max_attempts=values[ChannelKeys.max_attempts] or len(delays) + 1,
        max_pending=values[ChannelKeys.max_pending],
    )


def _argv(command: str | None, argv: tuple[str, ...] | None) -> tuple[str, ...]:
    if argv is not None:
        return argv
    return () if command is None else argv_of(command, _SHELL)[0]


# -- hooks ----------------------------------------------------------------------------------


def _take_hook(checker: Checker, index: int, raw: object, found: Outlets) -> None:
    path = ("hooks", index)
    table = checker.table(raw, path)
    if table is None:
        return
    before = len(checker.report)
    values = checker.section(HOOK, table, path)
    try:
        for way, text in _hook_faults(values):
            checker.wrong((*path, *way), text)
        if len(checker.report) > before:
            return
        argv = _argv(values[HookKeys.command], values[HookKeys.argv])
        channel = values[HookKeys.channel]
        if argv:
            own = _own_channel(values, argv)
            found.channels[own.name] = own
            channel = own.name
        hook = _make_hook(
            on=values[HookKeys.on],
            channel=channel,
            to=values[HookKeys.to],
            jobs=values[HookKeys.jobs],
            tags=values[HookKeys.tags],
            text=values[HookKeys.text],
        )
    except BrokenError:
        return
    found.hooks.append((index, hook))


def _hook_faults(values: Values) -> Iterator[Fault]:
    if not values.says(HookKeys.on):
        yield (), 'on which events? add on = ["run.failed"]'
    said = [values.says(HookKeys.command), values.says(HookKeys.argv)]
    leads = values.says(HookKeys.channel) or values.says(HookKeys.to)
    if not any(said) and not leads:
        yield (), "nobody is told: add command, channel, or to with an alias"
    if any(said) and leads:
        key = "channel" if values.says(HookKeys.channel) else "to"
        yield (key,), "either a command of its own or a channel: remove one of them"
    if all(said):
        yield ("argv",), "command and argv contradict each other: keep one of them"
    if not any(said):
        for own in _OF_OWN_COMMANDS:
            if values.says(own):
                yield (own.name,), "only with a command: a channel has its own"


def _own_channel(values: Values, argv: tuple[str, ...]) -> Channel:
    """Return the channel that a hook's own command is; a reload gives it the same name."""
    made = Channel(name="", type=ChannelType.COMMAND, argv=argv)
    name = values[HookKeys.name]
    if not name:
        words = values[HookKeys.command] or argv[0]
        program = words.split()[0].rpartition("/")[2]
        digest = hashlib.sha256("\0".join(argv).encode()).hexdigest()[:_DIGEST]
        name = f"{program}-{digest}"
    timeout_s = values[HookKeys.timeout]
    return replace(
        made,
        name=OF_HOOKS + name,
        timeout_s=made.timeout_s if timeout_s is None else timeout_s or made.timeout_s,
        max_attempts=values[HookKeys.max_attempts] or made.max_attempts,
    )


# -- what jobs say --------------------------------------------------------------------------


def announcing(values: Values, kind: JobType) -> Announcing:
    """Return whom a job's output is sent to."""
    if kind is JobType.CONTINUOUS:  # what [defaults] says is for others
        return Announcing()
    table = values.table("delivery")
    return _make_announcing(
        mode=table[DeliveryKeys.mode],
        channel=table[DeliveryKeys.channel],
        to=table[DeliveryKeys.to],
    )


def faults(values: Values, kind: JobType) -> Iterator[Fault]:
    """Yield what is wrong with whom a job's output is sent to."""
    if not values.says_table("delivery"):
        return
    if kind is JobType.CONTINUOUS:
        yield ("delivery",), "the output of a continuous job has no end: remove it"
        return
    found = announcing(values, kind)
    if found.mode is not AnnounceMode.NONE and not (found.channel or found.to):
        yield ("delivery",), "to whom? add channel, or to with an alias"


def mistakes(
    jobs: Iterable[Job], channels: Mapping[str, Channel | None]
) -> Iterator[tuple[Job, Sequence[str], str]]:
    """Yield the jobs whose messages cannot be sent: where they say so, and what is wrong."""
    for job in jobs:
        said = [("alerts", job.alerts.channel, job.alerts.to)]
        if job.delivery.mode is not AnnounceMode.NONE:
            said.append(("delivery", job.delivery.channel, job.delivery.to))
        for table, channel, to in said:
            problem = target_problem(channels, channel, to)
            if problem:
                yield job, (table, problem[0]), problem[1]


def target_problem(
    channels: Mapping[str, Channel | None], channel: str, to: str
) -> tuple[str, str] | None:
    """Return what is wrong with a channel and an address, and in which key; None: nothing."""
    if not channel:
        if to and not to.startswith("@"):
            return "to", f"{show(to)} says not by which channel: add channel, or write @ALIAS"
        return None
    if channel not in channels or channel.startswith(OF_HOOKS):
        known = [name for name in channels if not name.startswith(OF_HOOKS)]
        near = nearest(channel, known) or f"; channels are defined as [channels.{channel}]"
        return "channel", f"there is no channel {show(channel)}{near}"
    found = channels[channel]
    if found is not None and found.needs_address and not to:
        return "channel", f"the URL of channel {show(channel)} has {{to}}: add to"
    return None
