"""Writing to a terminal, a pipe or a file: width, colour, notes and progress."""

from __future__ import annotations

import contextlib
import os
import sys

from claw.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self, TextIO

RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, GRAY = "31", "32", "33", "34", "35", "36", "90"
BOLD = "1"

_WIDTH_IF_UNKNOWN = 80


class Style:
    """How something is shown.

    Attributes:
        is_terminal: Whether a person is likely to read it.
        has_color: Whether it may be coloured.
        width: Columns of the terminal; 0: as wide as need be.
    """

    __slots__ = ("has_color", "is_terminal", "width")

    def __init__(self, *, is_terminal: bool, has_color: bool, width: int) -> None:
        self.is_terminal = is_terminal
        self.has_color = has_color
        self.width = width

    def paint(self, text: str, color: str) -> str:
        """Return a text in a colour, where there is colour."""
        return f"\x1b[{color}m{text}\x1b[0m" if self.has_color and color and text else text


PLAIN = Style(is_terminal=False, has_color=False, width=0)
"""For a pipe or a file."""


def style_of(stream: TextIO | None) -> Style:
    """Return the style that fits where a stream goes; NO_COLOR and TERM are honoured."""
    if stream is None or not stream.isatty():
        return PLAIN
    has_color = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        width = _WIDTH_IF_UNKNOWN
    return Style(is_terminal=True, has_color=has_color, width=width or _WIDTH_IF_UNKNOWN)


def prepare() -> None:
    """Have letters that the output's encoding lacks written as escapes, not raise."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def abandon_output() -> None:
    """Let nothing be written at exit: nobody reads any more."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


def say(text: str) -> None:
    """Write a line to standard output."""
    _put(f"{text}\n", is_flushed=False)


def write(text: str) -> None:
    """Write a text to standard output, for all to see at once."""
    if text:
        _put(text)


def flush() -> None:
    """Let what was written to standard output be seen."""
    _put("")


def _put(text: str, *, is_flushed: bool = True) -> None:
    """Write to standard output.

    Raises:
        BrokenPipeError: Nobody reads any more.
        RequestError: There is no room for it.
    """
    if sys.stdout is None:
        return
    try:
        if text:
            sys.stdout.write(text)
        if is_flushed:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        abandon_output()
        raise RequestError(
            f"standard output cannot be written: {error.strerror}", hint="see where it goes"
        ) from error


def note(text: str) -> None:
    """Write a line to standard error, after what standard output has been given."""
    flush()
    if sys.stderr is not None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def warn(text: str) -> None:
    """Write a warning to standard error."""
    note(f"clawctl: warning: {text}")


class Progress:
    """One line on standard error that says what is waited for, if it is a terminal.

    A context manager; at its end the line is gone.
    """

    __slots__ = ("_shown", "_style")

    def __init__(self) -> None:
        self._style = style_of(sys.stderr)
        self._shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.show("")

    @property
    def is_shown(self) -> bool:
        """Whether there is a terminal to show it on."""
        return self._style.is_terminal

    def show(self, text: str) -> None:
        """Replace the line."""
        if not self._style.is_terminal or text == self._shown:
            return
        self._shown = text
        cut = text[: self._style.width - 1]
        sys.stderr.write(f"\r\x1b[K{self._style.paint(cut, GRAY)}")
        sys.stderr.flush()
