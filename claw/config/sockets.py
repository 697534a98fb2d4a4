"""The key ``sockets``: names and addresses, and that no two jobs ask for the same one."""

import ipaddress
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from claw.config.kinds import (
    Kind,
    MistakesError,
    Step,
    integer,
    nearest,
    octal,
    plain,
    show,
    unlike,
)
from claw.config.processkinds import ACCOUNT
from claw.kernel import accounts
from claw.model.job import Job
from claw.model.listener import Listener

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_TCP = re.compile(r"tcp://(?:\[([^\]]*)\]|([^:\[\]/]*)):([^:/]*)")
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*\.?")
_LONGEST_PATH = 107
_MOST = 32
_LIKE = 'write one like "tcp://127.0.0.1:8000" or "unix:/run/app.sock"'
_UNIX_ONLY = ("mode", "owner", "group")
_make: Callable[..., Listener] = Listener


def _sockets(value: object) -> tuple[Listener, ...]:
    if not isinstance(value, dict):
        raise unlike('a table of addresses, like { http = "tcp://127.0.0.1:8000" },', value)
    if len(value) > _MOST:
        raise ValueError(f"at most {_MOST} are possible, not {len(value)}")
    found: list[Listener] = []
    wrong: list[tuple[tuple[Step, ...], str]] = []
    for name, given in value.items():
        try:
            one = _socket(name, given)
            _refuse_twin(one, found)
            found.append(one)
        except MistakesError as mistakes:
            wrong += [((name, *way), text) for way, text in mistakes.items]
        except ValueError as error:
            wrong.append(((name,), str(error)))
    if wrong:
        raise MistakesError(wrong)
    return tuple(found)


def _refuse_twin(one: Listener, others: Sequence[Listener]) -> None:
    for other in others:
        if one.clashes_with(other):
            raise ValueError(f"{one.address} cannot be opened beside that of {other.name!r}")


def _socket(name: str, given: object) -> Listener:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{show(name)} is no name for a socket: letters, digits and . _ - only, at most 64"
        )
    if not isinstance(given, dict):
        return _make(name=name, **address(given))
    values, wrong = _options(given)
    if "address" not in given:
        wrong.append(((), f"the address is missing: {_LIKE}"))
    elif not wrong and not values["path"]:
        wrong += [
            ((key,), "only a unix socket has that: remove it")
            for key in _UNIX_ONLY
            if key in values
        ]
    if wrong:
        raise MistakesError(wrong)
    return _make(name=name, **values)


def _options(
    given: Mapping[str, object],
) -> tuple[dict[str, object], list[tuple[tuple[Step, ...], str]]]:
    """Return what a socket's own table says, and what is wrong with it."""
    values: dict[str, object] = {}
    wrong: list[tuple[tuple[Step, ...], str]] = []
    for key, value in given.items():
        try:
            if key == "address":
                values |= address(value)
            elif key in _OPTIONS:
                values[key] = _OPTIONS[key].parse(value)
            else:
                wrong.append(((key,), f"unknown key{nearest(key, ['address', *_OPTIONS])}"))
        except ValueError as error:
            wrong.append(((key,), str(error)))
    return values, wrong


def address(value: object) -> dict[str, object]:
    """Return what an address means: ``address`` as it is always written, and its parts.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, str):
        raise unlike("an address in quotes", value)
    text = plain(value)
    if text.startswith("unix:"):
        return _unix(text.removeprefix("unix:"))
    parts = _TCP.fullmatch(text)
    if parts is None:
        raise ValueError(f"{show(text)} is no address: {_LIKE}")
    host = _host_v6(parts[1]) if parts[1] is not None else _host(parts[2])
    port = _port(parts[3])
    shown = f"[{host}]" if parts[1] is not None else host
    return {"address": f"tcp://{shown}:{port}", "host": host, "port": port, "path": ""}


def _unix(text: str) -> dict[str, object]:
    path = "/" + text.lstrip("/") if text.startswith("//") else text
    if not path.startswith("/") or path.endswith("/"):
        raise ValueError('the path has to be absolute, like "unix:/run/app.sock"')
    path = posixpath.normpath(path)
    if len(path.encode()) > _LONGEST_PATH:
        raise ValueError(
            f"the path is longer than {_LONGEST_PATH} bytes: no client could connect (unix(7))"
        )
    return {"address": f"unix:{path}", "host": "", "port": 0, "path": path}


def _host_v6(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        raise ValueError(f"{show(text)} is no IPv6 address") from None


def _host(text: str) -> str:
    if text in ("", "*"):
        raise ValueError("which host? write 0.0.0.0 or [::] for all addresses of this one")
    host = text.lower()
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        pass
    if not _HOST.fullmatch(host) or host.rstrip(".").rpartition(".")[2].isdigit():
        raise ValueError(f"{show(text)} is neither a host's name nor an address")
    return host


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:  # noqa: PLR2004
        raise ValueError(f"{show(text)} is no port: a number from 1 to 65535 is expected")
    return int(text)


def _account(value: object, what: str) -> str:
    text = ACCOUNT.parse(value)
    find, known = _ACCOUNTS[what]
    if find(text) is None:
        raise ValueError(f"there is no {what} {show(text)} here{nearest(text, known())}")
    return text


_ACCOUNTS: Mapping[str, tuple[Callable[[str], int | None], Callable[[], list[str]]]] = {
    "user": (accounts.user_id, accounts.user_names),
    "group": (accounts.group_id, accounts.group_names),
}
_OPTIONS: Mapping[str, Kind[object]] = {
    "mode": octal(),  # type: ignore[dict-item]
    "owner": Kind("name", partial(_account, what="user"), ACCOUNT.schema),
    "group": Kind("name", partial(_account, what="group"), ACCOUNT.schema),
    "backlog": integer(1, 65535),  # type: ignore[dict-item]
}
_ADDRESS_SCHEMA = {"type": "string", "pattern": "^(tcp://|unix:/)"}
SOCKETS = Kind(
    "table of addresses",
    _sockets,
    {
        "type": "object",
        "additionalProperties": {
            "anyOf": [
                _ADDRESS_SCHEMA,
                {
                    "type": "object",
                    "properties": {
                        "address": _ADDRESS_SCHEMA,
                        **{key: dict(kind.schema) for key, kind in _OPTIONS.items()},
                    },
                    "required": ["address"],
                    "additionalProperties": False,
                },
            ]
        },
    },
)


def clashes(
    jobs: Sequence[Job], line_of: Callable[[Job, Listener], int]
) -> list[tuple[Job, Listener, str]]:
    """Return the sockets that another job asks for already, with what is wrong.

    Args:
        jobs: All of them.
        line_of: Tells on which line of its job's file a socket stands.
    """
    found = []
    earlier: dict[int | str, list[tuple[Job, Listener]]] = {}
    for job in jobs:
        for one in job.sockets:
            same = earlier.setdefault(one.path or one.port, [])
            for other_job, other in same:
                if other_job is not job and one.clashes_with(other):
                    place = f"{other_job.file}:{line_of(other_job, other)}"
                    found.append((job, one, _clash(one, other_job, other, place)))
                    break
            same.append((job, one))
    return found


def _clash(one: Listener, job: Job, other: Listener, line: str) -> str:
    place = f"job {job.name!r} (sockets.{other.name}, {line})"
    if one.address == other.address:
        return f"{one.address} is opened for {place} already: give one of them another address"
    return f"{one.address} cannot be opened beside {other.address} of {place}"
