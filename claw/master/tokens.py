"""The tokens by which the children of runs say whose children they are.

A token is the run's id and a code that only the master can make of it (HMAC-SHA-256, RFC 2104)
with a key that lies in the home's state, readable by its owner alone. So nothing is kept of a
token anywhere, it outlives restarts of the master, and no child can make that of another run.
"""

import hashlib
import hmac

from claw.kernel import clock, files
from claw.model import ids

_KEY_BYTES = 32
_RUN_LENGTH = 27


class Tokens:
    """Makes and reads tokens; the key is made when it is first wanted."""

    def __init__(self, path: str) -> None:
        """Take where the key lies."""
        self._path = path
        self._key = b""

    def of(self, run: str) -> str:
        """Return the token of a run.

        Raises:
            OSError: The key can be neither read nor made.
        """
        return run + self._code(run)

    def run_of(self, token: str) -> str | None:
        """Return the run whose token that is; None: nobody's.

        Raises:
            OSError: The key can be neither read nor made.
        """
        run, code = token[:_RUN_LENGTH], token[_RUN_LENGTH:]
        if not ids.is_run_id(run) or not code.isascii():
            return None
        return run if hmac.compare_digest(code, self._code(run)) else None

    def _code(self, run: str) -> str:
        if not self._key:
            self._key = self._load()
        return hmac.new(self._key, run.encode(), hashlib.sha256).hexdigest()

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
