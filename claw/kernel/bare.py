"""``os`` and ``signal`` without their Python parts, for processes that must stay small.

What they add on top of C loads ABCs, paths and enums; lying among the objects that a
supervisor does use, all that would be copied with them, page by page: a fifth of a
supervisor's memory.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    import signal
else:
    import _signal as signal
    import posix as os

__all__ = ["os", "signal"]
