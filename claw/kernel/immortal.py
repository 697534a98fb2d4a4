"""Objects that are not counted any more, so that forked processes go on sharing them.

To take or drop a reference writes to the object, and a page that is written to after a fork
is copied. Since 3.12 CPython leaves the count of an immortal object alone (PEP 683), but
offers no way to make one: here the count is written, as Include/refcount.h (object.h before
3.14) has it for 64 bits. What has been made immortal is never freed.
"""

import _ctypes
import gc
import sys

_COUNT = 0xFFFF_FFFF
"""In the lower half of ``ob_refcnt``: the one value that `Py_INCREF` of 3.12 does not raise."""
_HEAD_BYTES = 16
"""Of an object that begins with count and type; builds without the GIL have a longer one."""


class _Count(_ctypes._SimpleCData):  # type: ignore[type-arg]  # noqa: SLF001
    """The lower half of a count."""

    _type_ = "I"


def make_all() -> None:
    """Make all objects immortal that there are, where the interpreter is known to heed it."""
    if not _is_heeded():
        return
    seen: set[int] = set()
    wave = gc.get_objects()
    code = type(make_all.__code__)
    while wave:
        fresh = {id(one): one for one in wave if id(one) not in seen}
        seen.update(fresh)
        for address in fresh:
            _Count.from_address(address).value = _COUNT
        wave = gc.get_referents(*fresh.values())
        for one in fresh.values():
            if isinstance(one, code):  # which the collector does not look into
                wave += one.co_consts


def _is_heeded() -> bool:
    """Tell whether the count of an object is where it is thought to be, and stays."""
    is_known = (
        (3, 12) <= sys.version_info < (3, 15)
        and sys.implementation.name == "cpython"
        and sys.byteorder == "little"
        and object.__basicsize__ == _HEAD_BYTES
    )
    if not is_known:
        return False
    probe = object()
    count = _Count.from_address(id(probe))
    before = count.value
    pair = [probe, probe]
    if count.value != before + len(pair):
        return False
    count.value = _COUNT
    pair += pair
    pair.clear()
    return bool(count.value == _COUNT)
