"""Names of jobs: from names that claw does not take, and from command lines without any."""

import re
import shlex
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from claw.config.command import without_quoted
from claw.model import ids

_MOST = 64
_LONGEST_TITLE = 200
_MOST_READ = 2000
"""Letters of a command line that are looked at for its name."""
_ENDINGS = (
    ".sh", ".py", ".php", ".rb", ".pl", ".js", ".mjs", ".cjs", ".ts", ".bash", ".jar", ".exe",
    ".bin",
)  # fmt: skip
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PLUMBING_WORDS = """
    cd source . test [ [[ sleep export set umask ulimit mkdir echo printf true : exec
    time if then else while for do done fi date touch rm kill command grep egrep cat id
"""
_PLUMBING = frozenset(_PLUMBING_WORDS.split())
"""Commands that stand beside the one that a line is about."""
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash"})
_LANGUAGES = frozenset({"python", "python2", "python3", "perl", "ruby", "php", "node"})
_CARRIERS_WORDS = """
    nice ionice chrt taskset nohup setsid timeout flock chronic sudo doas su runuser env
    stdbuf setlock systemd-inhibit java npx bundle uv poetry pipenv run-one cronic gosu
    su-exec setpriv tini dumb-init eatmydata unbuffer caffeinate systemd-cat xvfb-run
    exec pidproxy
"""
_CARRIERS = frozenset(_CARRIERS_WORDS.split())
"""Programs that run another one: the name is that one's."""


def cleaned(text: str) -> str:
    """Return the nearest name that a job can have."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-.")[:_MOST].rstrip("-.") or "job"
    return name if ids.name_problem(name) is None else f"{name[: _MOST - 4]}-job"


class Names:
    """Names of jobs, no two alike."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}

    def take(self, name: str) -> str:
        """Return a name that nobody had: this one, or with a number after it."""
        found, number = name, self._numbers.get(name, 2)
        while found in self._taken:
            found = f"{name[: _MOST - len(str(number)) - 1]}-{number}"
            number += 1
        self._numbers[name] = number
        self._taken.add(found)
        return found

    def free(self, name: str) -> None:
        """Have a name be nobody's again."""
        self._taken.discard(name)


def is_title(text: str) -> bool:
    """Tell whether a text can be a job's name for people."""
    return text.isprintable() and 0 < len(text) <= _LONGEST_TITLE


def of_commands(lines: Iterable[str]) -> list[str]:
    """Return names for command lines, different where the lines are."""
    words = [_telling_words(line[:_MOST_READ]) for line in lines]
    firsts = Counter(one[0] for one in words)
    return ["-".join(one[:2]) if firsts[one[0]] > 1 else one[0] for one in words]


def _telling_words(line: str) -> list[str]:
    """Return what of a command line tells most: the program, and what tells it from others."""
    spare: list[str] = []
    for command in _commands(line):
        words = _bare(_words(command))
        code = _code_of(words)
        if code is not None:
            name = _stem(words[0])
            found = _telling_words(code) if name in _SHELLS else []
            if found and found != ["job"]:
                return found
            spare = spare or [name]
        elif words and PurePosixPath(words[0]).name not in _PLUMBING and _stem(words[0]):
            return [_stem(words[0]), *_arguments(words[1:])]
        elif words and _stem(words[0]):
            spare = spare or [_stem(words[0]), *_arguments(words[1:])]
    return spare or ["job"]


def _commands(line: str) -> list[str]:
    """Return the commands that a line is made of."""
    masked, start, found = without_quoted(line), 0, list[str]()
    for end in re.finditer(r"&&|\|\||[;\n|]", masked):
        found.append(line[start : end.start()])
        start = end.end()
    return [*found, line[start:]]


def _bare(words: list[str]) -> list[str]:
    """Return the words of a command without assignments, and programs that carry another."""
    while words and (_ASSIGNMENT.match(words[0]) or _is_carrier(words)):
        words = words[1:]
    return words


def _code_of(words: list[str]) -> str | None:
    """Return the code that an interpreter is given on its command line."""
    name = PurePosixPath(words[0]).name if words else ""
    flags = ("-c", "-lc") if name in _SHELLS or name.startswith("python") else ("-e", "-r")
    if name not in _SHELLS | _LANGUAGES:
        return None
    return next((words[at + 1] for at, one in enumerate(words[:-1]) if one in flags), None)


def _is_carrier(words: list[str]) -> bool:
    """Tell whether a word is no program of its own, and others follow that may be one."""
    first = words[0]
    is_option = first.startswith("-") or re.fullmatch(r"[\d.]+[smhd]?", first) is not None
    name = PurePosixPath(first).name
    carries = name in _CARRIERS or (name in _SHELLS | _LANGUAGES and _code_of(words) is None)
    return len(words) > 1 and (is_option or carries)


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command, comments=True)
    except ValueError:
        return command.replace('"', " ").replace("'", " ").split()


def _stem(word: str) -> str:
    name = PurePosixPath(word.strip("()'\"`{} ")).name
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")


def _arguments(words: list[str]) -> list[str]:
    plain = (_stem(word) for word in words if not word.startswith(("-", ">", "<", "&", "2>")))
    return [word for word in plain if word and not word.isdigit()]
