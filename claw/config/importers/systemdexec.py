"""The command lines of a service of systemd, see "Command lines" in systemd.service(5)."""

import re
from dataclasses import dataclass

from claw.config.importers import quoting
from claw.config.importers.imported import Draft
from claw.config.importers.unitfile import Unit, Value, pieces_of

_PREFIXES = "@-:+!|"
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)\}|(?P<dollar>\$))")
_ALONE = re.compile(r"\$([A-Za-z_]\w*)")
_KILL = re.compile(
    r"(?:/usr)?(?:/bin/)?kill\s+(?:-s\s+|--signal[ =]|-)?(?:SIG)?(?P<signal>[A-Z0-9]+)\s+"
    r"\$\{?MAINPID\}?$"
)
_LEFT_OUT = {
    "ExecStartPost": "left out: claw runs nothing after a start",
    "ExecStopPost": "left out: claw runs nothing after the end; do it in ExecStart's program,"
    " or in a hook",
    "ExecCondition": "left out: the job runs always; test it in the command, and exit with"
    " skip_code",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One command: its words with their variables, and what its prefix says.

    Attributes:
        words: The program and its arguments.
        may_fail: Its failure counts as success.
        is_privileged: It has more rights than the service.
        line: Where it stands.
        own_name: What the program would see as its own name; '' for its path.
    """

    words: list[str]
    may_fail: bool
    is_privileged: bool
    line: int
    own_name: str

    @property
    def has_variable(self) -> bool:
        """Whether a shell has to fill in variables."""
        return any(quoting.has_variable(word) for word in self.words)

    @property
    def text(self) -> str:
        """It as a shell's line."""
        return quoting.words_as_line(self.words)


def read(value: Value, expand: "Expand") -> list[Line]:
    """Return the commands of an assignment: a word that is a bare ``;`` stands between two.

    Raises:
        ValueError: A quote is not closed.
    """
    commands: list[list[str]] = [[]]
    for word, raw in pieces_of(value.text):
        if raw == ";":
            commands.append([])
        else:
            commands[-1].append(word)
    lines = (_line(words, value.line, expand) for words in commands if words)
    return [one for one in lines if one.words]


def _line(given: list[str], line: int, expand: "Expand") -> Line:
    bare = given[0].lstrip(_PREFIXES)
    prefix = given[0][: len(given[0]) - len(bare)]
    words = [expand(word) for word in ([bare] if bare else []) + given[1:]]
    if ":" not in prefix:
        words = [_with_variables(word) for word in words]
    own_name = ""
    if "@" in prefix and len(words) > 1:
        own_name = words.pop(1)
    is_privileged = "+" in prefix or "!" in prefix
    return Line(words, "-" in prefix, is_privileged, line, own_name)


class Expand:
    """Fills in the specifiers of a unit, ``%i`` and the like; tells of those it cannot."""

    def __init__(self, job: Draft, known: dict[str, str], *, is_root: bool) -> None:
        self._job = job
        self._known = known
        self.is_root = is_root

    def __call__(self, text: str) -> str:
        """Return a text with its specifiers filled in."""
        return re.sub(r"%(.)", self._fill, text)

    def _fill(self, found: re.Match[str]) -> str:
        if found[1] == "%":
            return "%"
        if found[1] in self._known:
            return self._known[found[1]]
        self._job.disable()
        self._job.tell(found[0], "is not known here: fill it in; the job is disabled")
        return found[0]


def _with_variables(word: str) -> str:
    alone = _ALONE.fullmatch(word)
    if alone:
        return quoting.variable(alone[1])
    return _VARIABLE.sub(
        lambda one: "$" if one["dollar"] else quoting.variable(one["braced"], is_whole=True),
        word,
    )


def put(job: Draft, unit: Unit, expand: Expand) -> bool:
    """Have the job run what the service runs; False: there is nothing."""
    starts = _lines(job, unit, "ExecStart", expand)
    if not starts:
        return False
    before = [line for line in _lines(job, unit, "ExecStartPre", expand)
              if not _is_refused(job, line)]  # fmt: skip
    for line in starts:
        if line.is_privileged and unit.one("Service", "User"):
            job.disable()
            job.tell("ExecStart", "it begins with rights that its user lacks: claw has no such"
                     " prefix; the job is disabled", line.line)  # fmt: skip
    _put_command(job, before, starts)
    if starts[-1].may_fail:
        job.tell("ExecStart", "the dash, by which failures count as success, is not carried"
                 " over: write success_codes", starts[-1].line)  # fmt: skip
    for key, why in _LEFT_OUT.items():
        for value in unit.all("Service", key):
            job.tell(key, why, value.line, value.file)
    return True


def _put_command(job: Draft, before: list[Line], starts: list[Line]) -> None:
    """Have a shell run what comes before the last command, and then become that."""
    if len(starts) == 1 and not before and not starts[0].has_variable:
        quoting.put_program(job.table, starts[0].words)
        return
    steps = "".join(f"{_step(line)} &&\n" for line in (*before, *starts[:-1]))
    job.table["command"] = f"{steps}exec {starts[-1].text}"
    if before:
        text = "runs in front of the program, in its shell, before each start"
        job.tell("ExecStartPre", text, before[0].line)


def _step(line: Line) -> str:
    return f"{{ {line.text} || true; }}" if line.may_fail else line.text


def _is_refused(job: Draft, line: Line) -> bool:
    if line.is_privileged:
        job.tell("ExecStartPre", "left out: it has more rights than the job: do it before",
                 line.line)  # fmt: skip
    return line.is_privileged


def _lines(job: Draft, unit: Unit, key: str, expand: Expand) -> list[Line]:
    found: list[Line] = []
    for value in unit.all("Service", key):
        try:
            lines = read(value, expand)
        except ValueError as error:
            job.tell(key, f"left out: {error}", value.line, value.file)
            continue
        for line in lines:
            if line.own_name and line.own_name != line.words[0]:
                text = f"@: left out: claw runs {line.words[0]} by its own name, and not as"
                shown = quoting.without_variables(f"{text} {line.own_name}")
                job.tell(key, shown, value.line, value.file)
        found += lines
    return found


def put_stop(job: Draft, unit: Unit, expand: Expand) -> None:
    """Have a stop and a reload do what the unit says."""
    stops = _lines(job, unit, "ExecStop", expand)
    if stops:
        job.table["stop_command"] = " && ".join(
            _step(line) if len(stops) > 1 else line.text for line in stops
        )
    reloads = unit.all("Service", "ExecReload")
    found = (
        _KILL.search(expand(reloads[0].text).lstrip(_PREFIXES)) if len(reloads) == 1 else None
    )
    if found:
        if found["signal"] not in {"HUP", "1"}:
            job.table["reload_signal"] = found["signal"]
        return
    lines = _lines(job, unit, "ExecReload", expand)
    if lines:
        job.table["reload_command"] = " && ".join(_step(line) for line in lines)
