"""The tokens by which the children of runs say whose children they are.

A token is the run's id and a code that only the master can make of it (HMAC-SHA-256, RFC 2104)
with a key that lies in the home's state, readable by its owner alone. So nothing is kept of a
token anywhere, it outlives restarts of the master, and no child can make that of another run.
Tokens for events are made in the same way, of ids that the store has: those can be revoked.
"""

import hmac

from claw.kernel import clock, files
from claw.model import ids

_KEY_BYTES = 32
_LENGTH = 27
"""Of an id."""


class Tokens:
    """Makes and reads tokens; the key is made when it is first wanted."""

    def __init__(self, path: str) -> None:
        """Take where the key lies."""
        self._path = path
        self._key = b""

    def of(self, name: str) -> str:
        """Return the token of a run, or for the events that an id stands for.

        Raises:
            OSError: The key can be neither read nor made.
        """
        return name + self._code(name)

    def run_of(self, token: str) -> str | None:
        """Return the run whose token that is; None: nobody's.

        Raises:
            OSError: The key can be neither read nor made.
        """
        return self._named(token) if ids.is_run_id(token[:_LENGTH]) else None

    def bridge_of(self, token: str) -> str | None:
        """Return the id of a token for events; None: it is none.

        Raises:
            OSError: The key can be neither read nor made.
        """
        return self._named(token) if ids.is_bridge_id(token[:_LENGTH]) else None

    def _named(self, token: str) -> str | None:
        name, code = token[:_LENGTH], token[_LENGTH:]
        is_good = code.isascii() and hmac.compare_digest(code, self._code(name))
        return name if is_good else None

    def _code(self, name: str) -> str:
        if not self._key:
            self._key = self._load()
        return hmac.digest(self._key, name.encode(), "sha256").hex()

    def _load(self) -> bytes:
        try:
            key = files.read_all(self._path)
        except FileNotFoundError:
            key = b""
        if len(key) == _KEY_BYTES:
            return key
        files.remove(self._path)  # of no use: a disk was full, or somebody has changed it
        key = clock.random(_KEY_BYTES)
        files.create_exclusive(self._path, key)
        return key
