"""Children that leave word of themselves, whatever becomes of their supervisors."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """\
# witness.sh EXIT_CODE LINES SECONDS|held: says that it ran, prints, sleeps (or waits to
# be let go), exits.
echo "$CLAW_JOB $CLAW_RUN_ID $CLAW_ATTEMPT $$ ${CLAW_SLOT:--}" >> "%(file)s"
[ "${2:-0}" = 0 ] || seq 1 "$2"
case "${3:-0}" in
    0) ;;
    held) until [ -e "%(file)s.go" ]; do sleep 0.02; done ;;
    *) sleep "$3" ;;
esac
exit "${1:-0}"
"""


@dataclass(frozen=True, slots=True)
class Testimony:
    """One child's line: which job, run and attempt it was, its pid and its slot."""

    job: str
    run: str
    attempt: int
    pid: int
    slot: str | None


class Witness:
    """The script that jobs run, and the file to which each child appends one line."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "witness"
        self.script = folder / "witness.sh"
        self.file.touch()
        self.script.write_text(_SCRIPT % {"file": self.file})

    def command(self, *words: object) -> str:
        """Return the ``argv`` line of a job that runs the script."""
        argv = ["/bin/sh", str(self.script), *map(str, words)]
        return f"argv = {argv!r}".replace("'", '"')

    def let_go(self) -> None:
        """Let those end that were told to run until then (``held``)."""
        self.file.with_name(f"{self.file.name}.go").touch()

    def lines(self) -> list[Testimony]:
        """Return what the children said, in order."""
        found = []
        for line in self.file.read_text().splitlines():
            job, run, attempt, pid, slot = line.split(" ")
            found.append(
                Testimony(job, run, int(attempt), int(pid), None if slot == "-" else slot)
            )
        return found

    def count(self, run: str) -> int:
        """Return how often a run's command was begun."""
        return Counter(line.run for line in self.lines())[run]


def printed(lines: int) -> bytes:
    """Return what the script prints when it is asked for so many lines."""
    return b"".join(b"%d\n" % number for number in range(1, lines + 1))
