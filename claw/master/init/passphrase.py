"""The passphrase of the secrets: from a descriptor, or asked for on a terminal."""

import getpass
import sys

from claw.errors import RequestError
from claw.model.home import Home
from claw.secrets.keys import Kind
from claw.secrets.secretfile import SecretFile, SecretsError

FD = "CLAW_PASSPHRASE_FD"
"""Names a descriptor from which it is read, to its end."""
_FIRST_FD = 3
_LONGEST = 4096


def given(fd: str) -> bytes:
    """Return what is to be read from a descriptor that is given by its number; '': nothing.

    Raises:
        RequestError: There is no such descriptor, or no passphrase.
    """
    if not fd:
        return b""
    try:
        if not fd.isdecimal() or int(fd) < _FIRST_FD:
            raise _refusal(fd, f"no descriptor: a number from {_FIRST_FD} on")
        with open(int(fd), "rb") as file:  # noqa: PTH123
            found = file.read(_LONGEST).removesuffix(b"\n")
    except (OSError, OverflowError) as error:
        raise _refusal(fd, getattr(error, "strerror", None) or str(error)) from error
    if not found:
        raise _refusal(fd, "there is nothing to read")
    return found


def _refusal(fd: str, why: str) -> RequestError:
    return RequestError(f"{FD}={fd}: {why}", hint=f"{FD}=9 clawd 9<FILE, or leave it out")


def ask(home: Home) -> bytes:
    """Return what a person types; empty: there is nothing to open, or nobody is there."""
    try:
        lock = SecretFile(home.secrets).load().lock
    except SecretsError:
        return b""
    if lock is None or lock.kind != Kind.PASSPHRASE or not _has_person():
        return b""
    try:
        return getpass.getpass("passphrase of the secrets (empty: go on without): ").encode()
    except (EOFError, OSError):
        return b""


def _has_person() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
