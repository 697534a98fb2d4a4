"""Asks for the passphrase of the secrets, when clawd is started on a terminal."""

import getpass
import sys

from claw.model.home import Home
from claw.secrets.keys import Kind
from claw.secrets.secretfile import SecretFile, SecretsError


def ask(home: Home) -> bytes:
    """Return the passphrase of a home's secrets; empty: it has none, or nobody is there."""
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
