"""A job's table as a file has it, with the keys over it that managed.toml has: a drop-in.

Key by key: a table takes in the other's keys, anything else is replaced. Of two keys that
exclude each other the one that is said last counts.
"""

from collections.abc import Mapping

from claw.config.check import Checker
from claw.config.locate import Path

INSTEAD: Mapping[Path, tuple[str, ...]] = {
    ("command",): ("argv",),
    ("argv",): ("command", "shell"),
    ("schedule",): ("run_at",),
    ("run_at",): ("schedule",),
    ("restart", "preset"): ("delays",),
    ("restart", "delays"): ("preset",),
}
"""What a key of managed.toml takes the place of, beside itself, in the same table."""

_OF_JOB = 2
"""Steps to a job's table: jobs, NAME."""


def merged(
    beneath: Mapping[str, object], over: Mapping[str, object], way: Path = ()
) -> dict[str, object]:
    """Return one table with the other's keys over it; neither is changed."""
    result = dict(beneath)
    for key, value in over.items():
        for other in INSTEAD.get((*way, key), ()):
            if other not in over:
                result.pop(other, None)
        known = result.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            result[key] = merged(known, value, (*way, key))
        else:
            result[key] = value
    return result


class Merged(Checker):
    """Checks a table made of two files: each mistake is told of the file that says it."""

    __slots__ = ("over",)

    def __init__(self, beneath: Checker, over: Checker) -> None:
        super().__init__(beneath.file, beneath.lines, beneath.report)
        self.over = over

    def at(self, path: Path) -> Checker:
        """Return the checker of the file that says what is at a path."""
        of_over, of_beneath = self.over.lines.known(path), self.lines.known(path)
        is_overs = of_over > _OF_JOB and of_over >= of_beneath
        return self.over if is_overs else Checker(self.file, self.lines, self.report)

    def wrong(self, path: Path, text: str) -> None:
        """Report a mistake at a key path."""
        self.at(path).wrong(path, text)
