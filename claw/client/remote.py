"""Masters of other hosts: ``ssh HOST clawctl proxy`` in the place of their control socket.

An address is ``ssh://[USER@]HOST[:PORT][/PROGRAM]``; PROGRAM is the path of clawctl there,
where its name is not enough. Behind ``?`` are options for it, with ``&`` between them.
No port is opened and no server runs but sshd, which says who is who.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from urllib.parse import unquote

from claw.errors import ClawError, DeniedError, UnreachableError, UsageError
from claw.kernel import channel

SCHEME = "ssh://"
PROGRAM = "CLAW_SSH"
"""Names the program, with options, that is run instead of ``ssh``."""

_ADDRESS = re.compile(
    r"(?:(?P<user>[A-Za-z0-9_][\w.-]*)@)?"
    r"(?P<host>[A-Za-z0-9_][\w.-]*|\[[0-9A-Fa-f:.%]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<program>/[^?]*)?"
    r"(?:\?(?P<options>.*))?",
    re.ASCII,
)
_OWN = "clawctl: "
_END_S, _KILL_S = 2.0, 1.0
"""So long it may take when nobody is left to speak to, and when it is asked to end."""
_NO_COMMAND, _NO_SSH = 127, 255


class Address:
    """Where a master is.

    Attributes:
        host: As messages name it: ``alice@web1:2222``.
        words: The command line that leads there.
        by_hand: The same for people, without what is to be run there.
    """

    __slots__ = ("by_hand", "host", "words")

    def __init__(self, text: str, *, may_ask: bool = True) -> None:
        """Read an address.

        Args:
            text: It.
            may_ask: Whether ssh may ask for a password, or about a host's key.

        Raises:
            UsageError: It is none.
        """
        found = _ADDRESS.fullmatch(text.removeprefix(SCHEME)) if _is_ssh(text) else None
        if found is None:
            raise UsageError(f"{text!r} is no host", hint="write ssh://USER@HOST or ssh://HOST")
        user, host, port = found["user"], found["host"].strip("[]"), found["port"]
        self.host = f"{user}@" * bool(user) + found["host"] + f":{port}" * bool(port)
        program = found["program"] if found["program"] not in (None, "/") else "clawctl"
        options = [unquote(one) for one in (found["options"] or "").split("&") if one]
        ssh = shlex.split(os.environ.get(PROGRAM) or "ssh")
        self.by_hand = shlex.join([*ssh, f"{SCHEME}{self.host}"])
        self.words = [
            *ssh,
            "-T",
            *([] if may_ask and _has_terminal() else ["-o", "BatchMode=yes"]),
            *(["-p", port] if port else []),
            *(["-l", user] if user else []),
            "--",
            host,
            shlex.join([program, *options, "proxy"]),
        ]


class Tunnel:
    """The process that leads to another host, and the socket that leads to the process."""

    __slots__ = ("_by_hand", "_process", "_said_fd", "host", "socket")

    _process: subprocess.Popen[bytes]

    def __init__(self, address: str, *, may_ask: bool = True) -> None:
        """Start it; as `Address` has it.

        Raises:
            UsageError: The address is none.
            UnreachableError: The program cannot be run.
        """
        to = Address(address, may_ask=may_ask)
        self.host, self._by_hand = to.host, to.by_hand
        ours, theirs = channel.pair()
        ours.setblocking(True)
        theirs.setblocking(True)
        self._said_fd = os.memfd_create("ssh")
        try:
            self._process = subprocess.Popen(  # noqa: S603
                to.words, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=self._said_fd
            )
        except OSError as error:
            os.close(self._said_fd)
            ours.close()
            raise UnreachableError(
                f"{self.host}: {to.words[0]} cannot be run: {error.strerror}",
                hint=f"install it, or name another program in {PROGRAM}",
            ) from None
        finally:
            theirs.close()
        self.socket = ours

    def failure(self) -> ClawError:
        """Return why the way has ended before the master there answered."""
        status = self._end()
        words = os.pread(self._said_fd, 1 << 16, 0).decode(errors="replace").splitlines()
        said = next((line.strip() for line in reversed(words) if line.strip()), "")
        if status == DeniedError.exit_status:
            return DeniedError(f"{self.host}: {_plain(said)}")
        if said.startswith(_OWN):  # it says what to do itself
            return UnreachableError(f"{self.host}: {_plain(said)}")
        if status == _NO_COMMAND:
            hint = f"install claw there, or say where it is: ssh://{self.host}/PATH/TO/clawctl"
        elif status == _NO_SSH:
            hint = f"try: {self._by_hand} true"
        else:
            hint = f"try: {self._by_hand} clawctl daemon status"
        return UnreachableError(
            f"{self.host}: {_plain(said) or f'ssh ended ({status})'}", hint=hint
        )

    def give_up(self) -> None:
        """End it at once: nobody waits for it any more."""
        self._process.send_signal(signal.SIGTERM)
        self.close()

    def close(self) -> None:
        """End it, and wait until it has ended."""
        self.socket.close()
        self._end()
        os.close(self._said_fd)

    def _end(self) -> int:
        try:
            return self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(_KILL_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _plain(said: str) -> str:
    return said.removeprefix(_OWN).rstrip(".")


def _is_ssh(text: str) -> bool:
    return text.startswith(SCHEME) or "://" not in text


def _has_terminal() -> bool:
    """Tell whether ssh could ask for a password, or about a new host's key."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return sys.stdin is not None
