"""What a ``command`` line becomes: an argv of its own, or a shell's.

A line without shell syntax is split and exec'd, so that pid and signals are the program's
own. Quotes and backslashes count as the shell counts them (POSIX, "Quoting"); everything
that a shell would act upon beyond them sends the whole line to the shell.
"""

import re
import shlex

from claw.config.kinds import Kind, argument, parse_items, show, unlike

_SYNTAX = re.compile(
    r"[|&;<>()$`*?\[\n]"  # wherever it stands
    r"|(?:^|\s)(?:[~#]|[{}!](?:\s|$))"  # as a word, or at the beginning of one
    r"|\{[^{}\s]*(?:,|\.\.)[^{}\s]*\}"  # brace expansion of bash and others
)
_COMMENT = re.compile(r"(?<!\S)#[^\n]*")
_NEXT = re.compile(r"&&|\|\||[;\n]")
"""What ends a command of a list; the next one begins there."""
_NO_LIST = re.compile(r"[()`]|<<|(?<!\|)\|(?!\|)|(?<![<>&])&(?![>&])")
"""What makes more of a line than a list of plain commands with their redirections."""
_HIDDEN = "\0"
"""Stands for a quoted letter, which is no syntax; a command cannot hold it."""

_RESERVED = """if then elif else fi for in do done while until case esac select function time"""
_BUILT_IN = """
    . : break continue eval exec exit export local readonly return set shift source times trap
    unset alias bg cd command declare fc fg getopts hash jobs let pushd popd read type typeset
    ulimit umask unalias wait
"""
SHELL_WORDS = frozenset(f"{_RESERVED} {_BUILT_IN}".split())
"""Commands that only a shell knows: what has a program of its own too is not among them."""

_COMPOUND = frozenset(f"{_RESERVED} trap {{ }} !".split())
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_SECRET = re.compile(r"\$\{secret:(?![-=?+])")
_REFERENCE = re.compile(r"\$\{(?:file:/[^{}]*|(?:env|credential):[A-Za-z_][A-Za-z0-9_.-]*)\}")
"""What means a value that is kept elsewhere. A shell's own `${env:-x}`, `${file:0:3}` are none:
no shell takes a path after the colon, and a name alone only bash, as a number."""


def _line(value: object) -> str:
    if isinstance(value, list):
        raise unlike("a text in quotes (or argv for a list)", value)
    text = argument(value).strip()
    if not text:
        raise ValueError("empty: write the command to run")
    _refuse_references(text)
    if not needs_shell(text):
        split(text)
    return text


def _word(value: object) -> str:
    text = argument(value)
    _refuse_references(text)
    return text


def _refuse_references(text: str) -> None:
    if _SECRET.search(text):
        raise ValueError(
            "a secret cannot stand in a command, whose words every user can read (ps): "
            "give it in env, and write $NAME here"
        )
    found = _REFERENCE.search(text)
    if found:
        raise ValueError(
            f"{found[0]} is not looked up in a command: give it in env, and write $NAME here"
        )


def _argv(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise unlike(
            'a list of texts, like ["python3", "app.py"], (or command for a line)', value
        )
    words = parse_items(WORD, value)
    if not words or not words[0]:
        raise ValueError("empty: the first item is the program to run")
    return words


def _shell(value: object) -> str:
    path = argument(value)
    if not path.startswith("/") or path.endswith("/"):
        raise ValueError(f'{show(path)} is no absolute path: write one like "/bin/bash"')
    if any(letter.isspace() for letter in path):
        raise ValueError(
            f"{show(path)}: a path alone is expected; for options use argv instead"
        )
    return path


def needs_shell(line: str) -> bool:
    """Tell whether a shell would do more with a line than split it into words."""
    bare = without_quoted(line)
    first = bare.split(maxsplit=1)[0] if bare.strip() else ""
    return (
        _SYNTAX.search(bare) is not None
        or first in SHELL_WORDS
        or _ASSIGNMENT.match(first) is not None
    )


def without_quoted(line: str) -> str:
    """Return a line with every letter hidden that quotes or a backslash take the sense of."""
    bare: list[str] = []
    quote = ""
    escaped = False
    for letter in line:
        hidden = _HIDDEN
        if escaped:
            escaped = False
            # In double quotes shlex would keep the backslash that a shell takes away.
            hidden = letter if letter == "\n" or (quote and letter in "$`") else _HIDDEN
        elif letter == "\\" and quote != "'":
            escaped = True
        elif letter == quote:
            quote = ""
        elif not quote and letter in "'\"":
            quote = letter
        elif not quote or (quote == '"' and letter in "$`"):
            hidden = letter
        bare.append(hidden)
    return "".join(bare)


def split(line: str) -> tuple[str, ...]:
    """Return the words of a line without shell syntax.

    Raises:
        ValueError: A quote is not closed, or the first word is empty.
    """
    try:
        words = tuple(shlex.split(line))
    except ValueError:
        raise ValueError("a quote or a final backslash is not closed") from None
    if not words or not words[0]:
        raise ValueError("empty: the first word is the program to run")
    return words


def argv_of(line: str, shell: str) -> tuple[tuple[str, ...], bool]:
    """Return what a command line executes, and whether that is a shell.

    A shell gets its own path as ``$0``, so that arguments appended to the argv become
    its ``"$@"``.
    """
    if needs_shell(line):
        return (shell, "-c", line, shell), True
    return split(line), False


def as_own_program(line: str) -> str:
    """Return a shell's line that hands its process to the last program of it, where it can.

    Many shells fork for it, some only when there is a redirection; but a program that is
    told its pid (LISTEN_PID) has to have the pid that claw knows. With pipes, background,
    compound commands and traps a line is left as it is.
    """
    bare = _COMMENT.sub(lambda found: " " * len(found[0]), without_quoted(line))
    bare = bare.rstrip(" \t\n;")
    starts = [0, *(found.end() for found in _NEXT.finditer(bare))]
    firsts = [(bare[start:].split(maxsplit=1) or [""])[0] for start in starts]
    if _NO_LIST.search(bare) or _COMPOUND & set(firsts):
        return line
    if firsts[-1] in {"", *SHELL_WORDS} or _ASSIGNMENT.match(firsts[-1]):
        return line
    at = bare.index(firsts[-1], starts[-1])
    return f"{line[:at]}exec {line[at:]}"


COMMAND = Kind("command line", _line, {"type": "string", "minLength": 1}, refers=True)
WORD = Kind("text", _word, {"type": "string"}, refers=True)
ARGV = Kind(
    "list of texts",
    _argv,
    {"type": "array", "items": {"type": "string"}, "minItems": 1},
    refers=True,
)
SHELL = Kind("path", _shell, {"type": "string", "pattern": "^/"})
