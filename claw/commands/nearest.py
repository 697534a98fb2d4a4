"""The known word that a mistyped one was probably meant to be."""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like ``word``, or None when none is like it."""
    look = importlib.import_module("difflib").get_close_matches  # for slips alone
    found: list[str] = look(word, sorted(known), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?``, or '' when no known word is like this one."""
    found = nearest(word, known)
    return f"did you mean {found!r}?" if found else ""
