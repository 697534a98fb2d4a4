"""Command lines: from words, and from texts in which variables are still to be filled in."""

import re
import shlex

from claw.config import command

# Of the private use area, so used nowhere.
_OPEN, _CLOSE, _BLANK, _WHOLE = "\ue000", "\ue001", "\ue002", "\ue003"
_VARIABLE = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")
_REFERENCE = re.compile(r"\$+\{(?:secret|env|credential|file):")
_PIECES = re.compile(f"({_OPEN}[^{_OPEN}{_CLOSE}]*{_CLOSE})")
_PLACEHOLDER = re.compile(
    r"\{\{(?:(?!\{\{).)*?\}\}|\{%(?:(?!\{%).)*?%\}|<%(?:(?!<%).)*?%>"  # up to the next one
    r"|%\(\w+\)s|@[A-Za-z_][A-Za-z0-9_]*@"
)
_CALL = re.compile(r"\s*[A-Za-z_][\w.]*\((?!\s*\))")


def line_of(words: list[str]) -> str:
    """Return the line that is split into just these words."""
    return shlex.join(words)


def put_program(table: dict[str, object], words: list[str]) -> None:
    """Have a job run a program with its arguments, word by word, never through a shell."""
    line = line_of(words)
    is_line = not command.needs_shell(line) and "\n" not in line
    if is_line and list(command.split(line)) == words:
        table["command"] = line
    else:
        table["argv"] = words


def variable(name: str, *, is_whole: bool = False) -> str:
    """Return what stands for a variable in a text until `words_as_line` sees it.

    Args:
        name: Of the variable; or in brackets what a shell has after a dollar: ``(date)``.
        is_whole: It is one word always; else one that stands alone may become several, or
            none.
    """
    mark = _WHOLE if is_whole else ""
    return f"{_OPEN}{mark}{name.replace(' ', _BLANK)}{_CLOSE}"


def literal(text: str) -> str:
    """Return a value for `env` that means just this text: see `claw.model.reference`."""
    return _REFERENCE.sub(r"$\g<0>", text)


def has_variable(text: str) -> bool:
    """Tell whether a text holds what `variable` returns."""
    return _OPEN in text


def without_variables(text: str) -> str:
    """Return a text with its variables as a shell writes them."""
    return _VARIABLE.sub(_as_shell, text)


def _as_shell(found: re.Match[str]) -> str:
    name = found[1].replace(_BLANK, " ").removeprefix(_WHOLE)
    return f"${name}" if name.startswith("(") else f"${{{name}}}"


def words_as_line(words: list[str]) -> str:
    """Return the line for a shell in which variables stand for their values."""
    return " ".join(map(_word, words))


def _word(word: str) -> str:
    if not has_variable(word):
        return shlex.quote(word)
    if _VARIABLE.fullmatch(word) and _WHOLE not in word:
        return without_variables(word)
    parts = _PIECES.split(word)
    escaped = [
        without_variables(part) if has_variable(part) else re.sub(r'([\\"$`])', r"\\\1", part)
        for part in parts
    ]
    return f'"{"".join(escaped)}"'


def placeholder_in(text: str) -> str:
    """Return what of a text a template would have filled in; '' when there is nothing."""
    found = _PLACEHOLDER.search(text)
    return found[0] if found else ""


def is_foreign(line: str) -> bool:
    """Tell whether a line is no shell's, but calls a function with arguments in brackets."""
    return _CALL.match(line) is not None
