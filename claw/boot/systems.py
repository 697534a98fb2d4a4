"""The init systems that claw knows: how each is noticed, its files, and what to type then.

The texts lie in ``templates``; contrib/ holds them as they are for /usr/bin.
"""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from importlib import resources
from xml.sax.saxutils import escape

from claw.kernel import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SYSTEM, USER = "system", "user"
MARK = "Part of claw. `clawctl service install` writes it anew, whatever is changed here."
_EXECUTABLE, _PLAIN = 0o755, 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is to be started.

    Attributes:
        clawd: The words that start the daemon of the home.
        clawctl: The words that reach it.
        run: The home's folder for sockets.
    """

    clawd: tuple[str, ...]
    clawctl: tuple[str, ...]
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of an init system.

    Attributes:
        template: Its text's name.
        path: Where it belongs; ``{config}`` is the user's configuration folder, ``{home}``
            the user's own.
        mode: Its permissions.
    """

    template: str
    path: str
    mode: int = _PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class InitSystem:
    """One init system.

    Attributes:
        name: As ``--init`` takes it.
        files: By scope (`SYSTEM`, `USER`); a scope that is not there is not to be had.
        is_here: Whether it runs this machine, or this user's session.
        to_begin: What to type when the files are there, by scope.
        to_end: What to type before they are removed, by scope.
    """

    name: str
    files: dict[str, tuple[File, ...]]
    is_here: Callable[[], bool]
    to_begin: dict[str, tuple[str, ...]]
    to_end: dict[str, tuple[str, ...]]


def render(template: str, program: Program) -> str:
    """Return a file's text for a program."""
    text = resources.files(__package__).joinpath("templates", template).read_text("utf-8")
    strings = "\n".join(f"\t\t<string>{escape(word)}</string>" for word in program.clawd)
    for name, value in (
        ("MARK", MARK),
        ("CLAWD", shlex.join(program.clawd)),
        ("PROGRAM", program.clawd[0]),
        ("ARGUMENTS", shlex.join(program.clawd[1:])),
        ("CLAWCTL", shlex.join(program.clawctl)),
        ("RUN", program.run),
        ("STRINGS", strings),
    ):
        text = text.replace(f"@{name}@", value)
    return text


def is_own(text: str, template: str) -> bool:
    """Tell whether a file that is there is one of claw's, changed or not."""
    if "@MARK@" in resources.files(__package__).joinpath("templates", template).read_text(
        "utf-8"
    ):
        return MARK in text
    return True


def detect() -> InitSystem | None:
    """Return the init system that runs here; None: none that claw knows."""
    return next((one for one in SYSTEMS if one.is_here()), None)


def by_name(name: str) -> InitSystem:
    """Return an init system by its name."""
    return next(one for one in SYSTEMS if one.name == name)


def _first_process() -> str:
    return process.command_of(1)


def _runs_systemd() -> bool:
    return os.path.isdir("/run/systemd/system")  # sd_booted(3)  # noqa: PTH112


def _runs_openrc() -> bool:
    return os.path.exists("/run/openrc/softlevel")  # noqa: PTH110


def _runs_sysvinit() -> bool:
    return _first_process() == "init" and os.path.isdir("/etc/init.d")  # noqa: PTH112


_SYSTEMD = InitSystem(
    name="systemd",
    files={
        SYSTEM: (
            File(template="systemd-system.service", path="/etc/systemd/system/claw.service"),
        ),
        USER: (
            File(template="systemd-user.service", path="{config}/systemd/user/claw.service"),
        ),
    },
    is_here=_runs_systemd,
    to_begin={
        SYSTEM: ("systemctl daemon-reload", "systemctl enable --now claw.service"),
        USER: (
            "systemctl --user daemon-reload",
            "systemctl --user enable --now claw.service",
            "loginctl enable-linger    # to have it run without a login, too",
        ),
    },
    to_end={
        SYSTEM: ("systemctl disable --now claw.service",),
        USER: ("systemctl --user disable --now claw.service",),
    },
)
_OPENRC = InitSystem(
    name="openrc",
    files={SYSTEM: (File(template="openrc", path="/etc/init.d/claw", mode=_EXECUTABLE),)},
    is_here=_runs_openrc,
    to_begin={SYSTEM: ("rc-update add claw default", "rc-service claw start")},
    to_end={SYSTEM: ("rc-service claw stop", "rc-update del claw")},
)
_RUNIT = InitSystem(
    name="runit",
    files={SYSTEM: (File(template="runit.run", path="/etc/sv/claw/run", mode=_EXECUTABLE),)},
    is_here=lambda: _first_process() in ("runit", "runsvdir"),
    to_begin={SYSTEM: ("ln -s /etc/sv/claw /etc/service/", "sv status claw")},
    to_end={SYSTEM: ("sv -w 100 force-stop claw", "rm /etc/service/claw")},
)
_S6 = InitSystem(
    name="s6",
    files={
        SYSTEM: (
            File(template="s6.run", path="/etc/s6/sv/claw/run", mode=_EXECUTABLE),
            File(template="s6.notification-fd", path="/etc/s6/sv/claw/notification-fd"),
        )
    },
    is_here=lambda: _first_process() in ("s6-svscan", "s6-linux-init"),
    to_begin={
        SYSTEM: ("ln -s /etc/s6/sv/claw SCANDIR/    # where s6-svscan looks",
                 "s6-svscanctl -a SCANDIR"),
    },
    to_end={
        SYSTEM: (
            "s6-svc -wD -d SCANDIR/claw", "rm SCANDIR/claw", "s6-svscanctl -an SCANDIR",
        )
    },
)  # fmt: skip
_LAUNCHD = InitSystem(
    name="launchd",
    files={
        SYSTEM: (File(template="launchd.plist", path="/Library/LaunchDaemons/claw.plist"),),
        USER: (File(template="launchd.plist", path="{home}/Library/LaunchAgents/claw.plist"),),
    },
    is_here=lambda: sys.platform == "darwin",
    to_begin={
        SYSTEM: ("launchctl bootstrap system /Library/LaunchDaemons/claw.plist",),
        USER: ("launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/claw.plist",),
    },
    to_end={
        SYSTEM: ("launchctl bootout system/claw",),
        USER: ("launchctl bootout gui/$(id -u)/claw",),
    },
)
_SYSVINIT = InitSystem(
    name="sysvinit",
    files={SYSTEM: (File(template="sysvinit", path="/etc/init.d/claw", mode=_EXECUTABLE),)},
    is_here=_runs_sysvinit,
    to_begin={SYSTEM: ("update-rc.d claw defaults", "service claw start")},
    to_end={SYSTEM: ("service claw stop", "update-rc.d -f claw remove")},
)

SYSTEMS = (_SYSTEMD, _OPENRC, _RUNIT, _S6, _LAUNCHD, _SYSVINIT)
"""In the order in which they are looked for."""

NAMES = tuple(one.name for one in SYSTEMS)

CONTRIB = {
    "systemd/system/claw.service": ("systemd-system.service", SYSTEM),
    "systemd/system/claw.socket": ("systemd.socket", SYSTEM),
    "systemd/user/claw.service": ("systemd-user.service", USER),
    "systemd/sysusers.d/claw.conf": ("systemd.sysusers", SYSTEM),
    "systemd/tmpfiles.d/claw.conf": ("systemd.tmpfiles", SYSTEM),
    "openrc/claw": ("openrc", SYSTEM),
    "runit/claw/run": ("runit.run", SYSTEM),
    "s6/claw/run": ("s6.run", SYSTEM),
    "s6/claw/notification-fd": ("s6.notification-fd", SYSTEM),
    "sysvinit/claw": ("sysvinit", SYSTEM),
    "launchd/claw.plist": ("launchd.plist", USER),
}
"""Files of contrib/, each with its template and scope."""

EXECUTABLES = frozenset({"openrc/claw", "runit/claw/run", "s6/claw/run", "sysvinit/claw"})
"""Those of them that are programs."""


def contributed(name: str) -> str:
    """Return the text of a file of contrib/: for programs in /usr/bin."""
    template, scope = CONTRIB[name]
    program = Program(
        clawd=("/usr/bin/clawd", f"--{scope}"),
        clawctl=("/usr/bin/clawctl", f"--{scope}"),
        run="/run/claw",
    )
    return render(template, program)
