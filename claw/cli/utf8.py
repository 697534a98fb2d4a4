"""What is not UTF-8 is said plainly: the protocol takes nothing else."""

from __future__ import annotations

import os

from claw.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def check(words: Iterable[str], what: str) -> None:
    """Refuse words of a command line that were no UTF-8.

    Args:
        words: As `sys.argv` has them.
        what: They are, with ``{}`` for the number of one.

    Raises:
        UsageError: One is; it says which.
    """
    for no, word in enumerate(words, 1):
        try:
            word.encode()
        except UnicodeEncodeError:
            shown = repr(os.fsencode(word)[:60])[1:]
            raise UsageError(f"{what.format(no)} is not UTF-8: {shown}", hint=_HINT) from None


def text_of(data: bytes, name: str) -> str:
    """Return what a file has said.

    Raises:
        UsageError: It is not UTF-8; it says in which line.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}: line {line} is not UTF-8", hint=_HINT) from None


_HINT = "what a run is given has to be UTF-8: name a file instead whose content is not"
