"""Values that are never to be shown, and how a text is freed of them."""

import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from urllib.parse import quote

MASK = "****"
SHORTEST_BYTES = 4
"""A shorter value is found in everything, and hidden nowhere."""
_MOST = 20_000
"""So many forms are known before those are forgotten that are nothing's value any more."""
_KEPT = 15_000
"""As many are left then."""
_MOST_LINES = 1024
"""Of one value, the longest: 64 KiB of PEM have fewer (RFC 7468)."""

Span = tuple[int, int]


class Redactor:
    """Knows values, and masks them wherever they stand.

    What is the value of something now is never forgotten, and what was one earlier not before
    there are very many. Values that overlap are masked as one. A value of several lines is
    masked line by line too, since that is how it is printed.
    """

    def __init__(self) -> None:
        self._forms: dict[str, tuple[bytes, ...]] = {}  # by value, the oldest first
        self._current: dict[str, frozenset[str]] = {}
        self._needles = _Needles()
        self._lock = threading.Lock()

    def add(self, values: Iterable[str], of: str = "") -> None:
        """Take in values that were looked up; from any thread.

        Args:
            values: What there is to hide.
            of: Whose values these, and no others, are from now on: that of a reference.
        """
        found = frozenset(values)
        with self._lock:
            self._current[of] = found
            for value in found - self._forms.keys():
                self._forms[value] = _forms(value)
                self._needles.add(self._forms[value])
            if len(self._needles) > _MOST:
                self._forget()

    def _forget(self) -> None:
        """Forget the oldest of the values that nothing has any more."""
        current = frozenset[str]().union(*self._current.values())
        left, count = dict(self._forms), len(self._needles)
        for value, forms in self._forms.items():
            if count > _KEPT and value not in current:
                del left[value]
                count -= len(forms)
        if len(left) < len(self._forms):
            needles = _Needles()
            needles.add(form for forms in left.values() for form in forms)
            self._forms, self._needles = left, needles

    def mask(self, text: str) -> str:
        """Return a text with ``****`` in place of each value in it."""
        data = _encoded(text)
        masked = self.mask_bytes(data)
        return text if masked is data else masked.decode(errors="surrogatepass")

    def mask_bytes(self, data: bytes) -> bytes:
        """Return the same of bytes."""
        return self.mask_piece(data, begins=True, ends=True)

    def mask_piece(self, data: bytes, *, begins: bool, ends: bool) -> bytes:
        """Return a piece of something longer masked, halves of values at its ends included.

        Args:
            data: The piece.
            begins: Whether it begins where the whole does.
            ends: Whether it ends where the whole does.
        """
        parts, shown = [], 0
        for start, stop in _merged(self._needles.spans(data, begins=begins, ends=ends)):
            parts.append(data[shown:start])
            shown = stop
        if not parts:
            return data
        return MASK.encode().join([*parts, data[shown:]])

    def mask_json(self, text: str) -> str:
        """Return JSON text masked, which is still JSON."""
        if self.mask(text) == text:
            return text
        found = self.mask_all(json.loads(text))
        return json.dumps(found, ensure_ascii=False, separators=(",", ":"))

    def mask_all(self, value: object) -> object:
        """Return a JSON value with all texts in it masked, keys among them."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {self.mask(key): self.mask_all(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask_all(one) for one in value]
        return value


class _Needles:
    """Byte strings that are looked for: found by their first bytes, however many they are."""

    def __init__(self) -> None:
        self._all: set[bytes] = set()
        self._by_head: dict[bytes, tuple[bytes, ...]] = {}  # the longest first
        self._first: tuple[set[int], ...] = tuple(set() for _ in range(SHORTEST_BYTES))
        self._heads: re.Pattern[bytes] | None = None

    def __len__(self) -> int:
        return len(self._all)

    def add(self, needles: Iterable[bytes]) -> None:
        """Take in more; others may be searching."""
        new = set(needles) - self._all
        self._all |= new
        by_head = defaultdict[bytes, list[bytes]](list)
        for one in new:
            by_head[one[:SHORTEST_BYTES]].append(one)
        for head, found in by_head.items():
            known = self._by_head.get(head, ())
            self._by_head[head] = tuple(sorted([*known, *found], key=len, reverse=True))
        before = sum(map(len, self._first))
        for at, seen in enumerate(self._first):
            seen.update(head[at] for head in by_head)
        if sum(map(len, self._first)) > before:
            first, *others = (_any_of(seen) for seen in self._first)
            self._heads = re.compile(b"%s(?=%s)" % (first, b"".join(others)), re.DOTALL)

    def spans(self, data: bytes, *, begins: bool, ends: bool) -> Iterator[Span]:
        """Yield where needles stand, by their beginning; see `Redactor.mask_piece`."""
        if self._heads is None:
            return
        if not begins and (cut := self._left_at_begin(data, ends=ends)):
            yield 0, cut
        for found in self._heads.finditer(data):
            start = found.start()
            for one in self._by_head.get(data[start : start + SHORTEST_BYTES], ()):
                if data.startswith(one, start):
                    yield start, start + len(one)
                    break
                if not ends and _is_cut(one, data, start):
                    yield start, len(data)
                    break

    def _left_at_begin(self, data: bytes, *, ends: bool) -> int:
        """Return how much of a piece is the end, or the middle, of a needle."""
        head, longest = data[:SHORTEST_BYTES], 0
        if len(head) < SHORTEST_BYTES:
            return 0
        for one in tuple(self._all):
            at = one.find(head, 1)
            while 0 < at < len(one) - longest:
                rest = one[at:]
                if data.startswith(rest) or (not ends and rest.startswith(data)):
                    longest = min(len(rest), len(data))
                at = one.find(head, at + 1)
        return longest


def _any_of(found: set[int]) -> bytes:
    return b"[%s]" % b"".join(b"\\x%02x" % one for one in sorted(found))


def _is_cut(needle: bytes, data: bytes, start: int) -> bool:
    """Tell whether a piece ends amid a needle that begins there."""
    return start + len(needle) > len(data) and needle.startswith(data[start:])


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield spans, with those as one that overlap."""
    start = stop = 0
    for one in spans:
        if one[0] < stop:
            stop = max(stop, one[1])
            continue
        if stop:
            yield start, stop
        start, stop = one
    if stop:
        yield start, stop


def _forms(value: str) -> tuple[bytes, ...]:
    """Return a value as it may be met: itself, in JSON, in a URL, line by line."""
    quoted = (json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    lines = sorted(dict.fromkeys(map(str.strip, value.splitlines())), key=len)[-_MOST_LINES:]
    in_url = (quote(_encoded(value), safe=kept) for kept in ("/", ""))
    found = {_encoded(one): None for one in (value, *quoted, *in_url, *lines)}
    return tuple(one for one in found if len(one) >= SHORTEST_BYTES)


def _encoded(text: str) -> bytes:
    """Return a text in UTF-8; JSON may hold halves of characters (RFC 8259, 8.2)."""
    return text.encode(errors="surrogatepass")
