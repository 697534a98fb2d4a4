"""Functions of the C library that no module of Python offers.

By `_ctypes` alone: the Python part of `ctypes` is for conversions that are not needed here
(see `claw.kernel.bare` for what it would cost). So arguments are whole numbers of 32 bits
at most and buffers, the result is an int, and errno cannot be told.
"""

import _ctypes
import sys


class _Byte(_ctypes._SimpleCData):  # type: ignore[type-arg]  # noqa: SLF001
    """An unsigned char."""

    _type_ = "B"


class Buffer(_ctypes.Array):  # type: ignore[type-arg]
    """Memory for a structure that a function fills; the largest here takes 144 bytes."""

    _type_ = _Byte
    _length_ = 256

    def number(self, offset: int, size: int) -> int:
        """Return the signed number in native order that begins at an offset."""
        return int.from_bytes(bytes(self)[offset : offset + size], sys.byteorder, signed=True)


def find(name: str) -> int:
    """Return a function's address, 0 when this C library does not have it."""
    try:
        return _ctypes.dlsym(_LIBRARY, name)
    except OSError:
        return 0


_LIBRARY = _ctypes.dlopen(None, 2)  # type: ignore[arg-type]  # dlopen(3): this process


def call(address: int, *arguments: "int | Buffer") -> int:
    """Call a function and return its result, an int."""
    return _ctypes.call_cdeclfunction(  # type: ignore[no-any-return]
        address, tuple(_ctypes.byref(a) if isinstance(a, Buffer) else a for a in arguments)
    )
