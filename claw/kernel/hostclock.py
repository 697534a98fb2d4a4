"""Whether somebody keeps the machine's clock right: adjtimex(2), asked and not changed."""

from claw.kernel import libc

_STATUS, _MAX_ERROR = 40, 24  # offsets in struct timex, on 64 bits
_UNSYNC = 0x40  # STA_UNSYNC
_TIME_ERROR = 5


def synchronised() -> tuple[bool, float] | None:
    """Tell whether the clock is kept by somebody, and by how many seconds it may be off.

    None: this kernel does not say.
    """
    address = libc.find("adjtimex")
    if not address:
        return None
    timex = libc.Buffer()
    state = libc.call(address, timex)
    if state < 0:
        return None
    is_kept = state != _TIME_ERROR and not timex.number(_STATUS, 4) & _UNSYNC
    return is_kept, timex.number(_MAX_ERROR, 8) / 1_000_000
