"""Where new objects come to lie, so that forked processes write to few pages.

CPython has small objects in pools of 16 KiB, each for one size (Objects/obmalloc.c). What is
free in the pools of a process lies scattered, and each page on which a fork of it makes an
object is copied. When nothing is free in them, new objects lie side by side.
"""

_POOL_BYTES = 1 << 14
_HEADER_BYTES = 48
_SIZES = range(48, 513, 16)
"""In bytes, of small objects, from the smallest that a bytes object can have."""
_EMPTY_BYTES = b"".__sizeof__()
_MOST = 1000
"""Of one size, where pools should be unlike that: a few megabytes for nothing."""


def fill() -> list[bytes]:
    """Return objects that fill the pools in use, for as long as they are kept."""
    kept: list[bytes] = []
    for size in _SIZES:
        before = 0
        for _ in range(_MOST):
            kept.append(bytes(size - _EMPTY_BYTES))
            first, before = before, id(kept[-1])
            if first % _POOL_BYTES == _HEADER_BYTES and before == first + size:
                del kept[-2:]  # a new pool, which is left empty
                break
    return kept
