"""The source tree as data: modules, functions and documents, for the tests of the house."""

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("c*/README.md")])

_BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINE_JOIN = re.compile(r"\\\n\s*")


@dataclass(frozen=True, slots=True)
class Module:
    """One file of the package."""

    path: Path
    tree: ast.Module
    lines: int

    @property
    def name(self) -> str:
        """Path from the root of the source tree."""
        return str(self.path.relative_to(ROOT))

    @property
    def text(self) -> str:
        """What the file holds."""
        return self.path.read_text(encoding="utf-8")

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Yield every function and method."""
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node

    def names(self) -> Iterator[str]:
        """Yield the names of the file, its classes, functions and methods."""
        yield self.path.stem
        yield from (one.name for one in ast.walk(self.tree) if isinstance(one, ast.ClassDef))
        yield from (one.name for one in self.functions())

    def strings(self) -> Iterator[str]:
        """Yield every string in it, white space folded."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield " ".join(node.value.split())

    def imported(self) -> Iterator[str]:
        """Yield the top-level name of everything that is imported."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                yield node.module.partition(".")[0]


@cache
def modules() -> tuple[Module, ...]:
    """Return every module of claw."""
    found = []
    for path in sorted((ROOT / "claw").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.append(Module(path, ast.parse(text), len(text.splitlines())))
    return tuple(found)


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function's body, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of a page that are in one language."""
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for name, text in found if name == language]


def command_lines(page: Path, program: str) -> list[list[str]]:
    """Return the words after a program's name, for each line of a page's shell blocks."""
    lines = [
        line for text in blocks(page, "sh") for line in _LINE_JOIN.sub(" ", text).splitlines()
    ]
    commands = [
        command
        for line in lines
        for command in _commands(shlex.shlex(line, posix=True, punctuation_chars=True))
    ]
    return [one[1:] for one in commands if one and one[0].rpartition("/")[2] == program]


def _commands(words: shlex.shlex) -> list[list[str]]:
    words.whitespace_split = True
    commands: list[list[str]] = [[]]
    for word in words:
        if set(word) <= set("&|;<>"):
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def mentioned_commands(text: str) -> list[list[str]]:
    """Return the one or two words of each command that a text tells people to type.

    Such a command stands in backticks, begins the text, or follows a colon.
    """
    found = re.findall(r"(?:^|`|: )clawctl ([a-z]+(?:-[a-z]+)*)(?: ([a-z]+))?", text)
    return [[word for word in pair if word] for pair in found]
