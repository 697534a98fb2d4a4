"""Values that are never to be shown, and how a text is freed of them."""

import json
import re
import threading
from collections.abc import Iterable

MASK = "****"
SHORTEST_BYTES = 4
"""A shorter value is found in everything, and hidden nowhere."""
_MOST = 10_000
_LONGEST_CUT = 4096


class Redactor:
    """Knows values, and masks them wherever they stand.

    Values are only ever added: what was a secret once is not shown later. Of several that
    overlap the longest is masked. A value of several lines is masked line by line too, since
    that is how it is printed.
    """

    def __init__(self) -> None:
        self._values: dict[str, None] = {}
        self._pattern: re.Pattern[str] | None = None
        self._bytes: re.Pattern[bytes] | None = None
        self._lock = threading.Lock()

    def add(self, values: Iterable[str]) -> None:
        """Take in values that were looked up; from any thread."""
        with self._lock:
            self._add(values)

    def _add(self, values: Iterable[str]) -> None:
        new: list[str] = []
        for value in values:
            if value in self._values:
                continue
            new += [one for one in _forms(value) if len(one.encode()) >= SHORTEST_BYTES]
        if not new:
            return
        self._values.update(dict.fromkeys(new))
        while len(self._values) > _MOST:
            del self._values[next(iter(self._values))]
        longest_first = sorted(self._values, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        data = [re.escape(one.encode()) for one in longest_first]
        self._bytes = re.compile(b"|".join(data))

    def mask(self, text: str) -> str:
        """Return a text with ``****`` in place of each value in it."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def mask_bytes(self, data: bytes) -> bytes:
        """Return the same of bytes."""
        return data if self._bytes is None else self._bytes.sub(MASK.encode(), data)

    def mask_piece(self, data: bytes, *, begins: bool, ends: bool) -> bytes:
        """Return a piece of something longer masked, halves of values at its ends included.

        Args:
            data: The piece.
            begins: Whether it begins where the whole does.
            ends: Whether it ends where the whole does.
        """
        if self._bytes is None:
            return data
        for value in self._cut() if not (begins and ends) else ():
            for count in range(len(value) - 1, SHORTEST_BYTES - 1, -1):
                if not ends and data.endswith(value[:count]):
                    data = data[:-count] + MASK.encode()
                    break
            for count in range(len(value) - 1, SHORTEST_BYTES - 1, -1):
                if not begins and data.startswith(value[-count:]):
                    data = MASK.encode() + data[count:]
                    break
        return self.mask_bytes(data)

    def _cut(self) -> list[bytes]:
        """Return the values that may stand at an edge, the longest first."""
        found = sorted(self._values, key=len, reverse=True)
        return [one.encode() for one in found if len(one) <= _LONGEST_CUT]

    def mask_json(self, text: str) -> str:
        """Return JSON text masked, which is still JSON."""
        if self.mask(text) == text:
            return text
        found = self.mask_all(json.loads(text))
        return json.dumps(found, ensure_ascii=False, separators=(",", ":"))

    def mask_all(self, value: object) -> object:
        """Return a JSON value with all texts in it masked, keys excepted."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self._pattern.sub(MASK, value)
        if isinstance(value, dict):
            return {key: self.mask_all(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask_all(one) for one in value]
        return value


def _forms(value: str) -> Iterable[str]:
    """Yield a value as it may be met: itself, in JSON, line by line."""
    yield value
    for ascii_only in (True, False):
        quoted = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        if quoted != value:
            yield quoted
    if "\n" in value:
        yield from (line.strip() for line in value.splitlines())
