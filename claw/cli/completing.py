"""Given the words of a command line, what may come next; all of it from the command table.

Pure: names that only the master or the machine knows come from a function that is handed in
(`claw.cli.naming` has one). The scripts of completions/ say the same in the words of a shell.
What ends with one of `claw.commands.grammar.OPEN_ENDS` goes on: no space is put after it.
"""

from __future__ import annotations

from claw.commands.before import BEFORE
from claw.commands.grammar import arguments_of, first_words, options_of, rest_of
from claw.commands.table import BY_NAME, FAMILIES, members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from claw.commands.command import Command, Param
    from claw.commands.kinds import Kind

    Names = Callable[[str, str], list[tuple[str, str]]]


class Candidate:
    """One way to go on.

    Attributes:
        text: What the current word would be, as a whole.
        says: What it means, in a few words; may be empty.
    """

    __slots__ = ("says", "text")

    def __init__(self, text: str, says: str = "") -> None:
        self.text = text
        self.says = says

    def __repr__(self) -> str:
        return f"Candidate({self.text!r}, {self.says!r})"


def candidates(words: Sequence[str], current: str, names: Names) -> list[Candidate]:
    """Return what the current word may be.

    Args:
        words: The whole words before it, those after ``clawctl``.
        current: What there is of it so far, perhaps nothing.
        names: From a kind of names (`claw.commands.kinds.Kind.completes`) and a beginning
            to names, each with what it is.
    """
    found = dict[str, Candidate]()
    for one in _candidates(list(words), current, names):
        if one.text.startswith(current):
            found.setdefault(one.text, one)
    return list(found.values())


def _candidates(words: list[str], current: str, names: Names) -> Iterator[Candidate]:
    awaited = _pass_options(words)
    if words[:1] == ["help"]:
        words.pop(0)
    if awaited is not None:
        yield from _values(awaited, current, names)
    elif not words:
        yield from _begin(current, names)
    elif len(words) == 1 and words[0] in FAMILIES:
        for one in members(words[0]):
            yield Candidate(one.name.partition(" ")[2], one.summary)
    else:
        count = 2 if " ".join(words[:2]) in BY_NAME else 1
        command = BY_NAME.get(" ".join(words[:count]))
        if command is not None:
            yield from _Line(command, words[count:], names).go_on(current)


def _pass_options(words: list[str]) -> Kind | None:
    """Take the options before the command away; return what the last of them waits for."""
    while words and words[0].startswith("-"):
        word = words.pop(0)
        option = _option(BEFORE, word)
        if option is not None and option.kind is not None and "=" not in word:
            if not words:
                return option.kind
            words.pop(0)
    return None


def _begin(current: str, names: Names) -> Iterator[Candidate]:
    if current.startswith("-"):
        yield from _flags(BEFORE, current, names)
        return
    for word, says in first_words():
        yield Candidate(word, says)


class _Line:
    """The words after a command, as far as they are written."""

    def __init__(self, command: Command, words: list[str], names: Names) -> None:
        self.names = names
        self.options = options_of(command)
        self.arguments = arguments_of(command)
        self.rest = rest_of(command)
        self.given: list[str] = []
        self.seen: set[str] = set()
        self.after: list[str] | None = None
        self.awaited: Kind | None = None
        self._read(words)

    def _read(self, words: list[str]) -> None:
        for number, word in enumerate(words):
            if self.awaited is not None:
                self.awaited = None
            elif word == "--":
                self.after = words[number + 1 :]
                return
            elif word.startswith("-") and len(word) > 1:
                self._take(word)
            else:
                self.given.append(word)

    def _take(self, word: str) -> None:
        option = _option(self.options, word)
        if option is not None:
            self.awaited = None if "=" in word else option.kind
            if not option.is_many:
                self.seen.add(option.name)

    def go_on(self, current: str) -> Iterator[Candidate]:
        if self.awaited is not None:
            yield from _values(self.awaited, current, self.names)
        elif self.after is not None:
            yield from self._go_on_with_rest(current)
        elif current.startswith("-"):
            yield from self._flags(current)
        else:
            yield from self._go_on_with_argument(current)

    def _flags(self, current: str) -> Iterator[Candidate]:
        left = tuple(one for one in self.options if one.name not in self.seen)
        yield from _flags(left, current, self.names)

    def _go_on_with_argument(self, current: str) -> Iterator[Candidate]:
        param = self._next_argument()
        if param is not None and param.kind is not None:
            for one in _values(param.kind, current, self.names):
                if one.text not in self.given:
                    yield one
        elif not current:
            yield from self._flags(current)

    def _next_argument(self) -> Param | None:
        if len(self.given) < len(self.arguments):
            return self.arguments[len(self.given)]
        last = self.arguments[-1] if self.arguments else None
        return last if last is not None and last.is_many else None

    def _go_on_with_rest(self, current: str) -> Iterator[Candidate]:
        if self.rest is None or self.rest.kind is None or self.after is None:
            return
        kind = self.rest.kind
        if self.after and "programs" in kind.completes:
            yield from _named(("files",), current, self.names)
        else:
            yield from _values(kind, current, self.names)


def _option(options: Sequence[Param], word: str) -> Param | None:
    name = word.partition("=")[0]
    return next((one for one in options if name in one.flags), None)


def _flags(options: Sequence[Param], current: str, names: Names) -> Iterator[Candidate]:
    """Yield options, or the values of one that is written as ``--name=value``."""
    name, equals, value = current.partition("=")
    if equals:
        option = _option(options, name)
        if option is not None and option.kind is not None:
            for one in _values(option.kind, value, names):
                yield Candidate(f"{name}={one.text}", one.says)
        return
    for option in options:
        for text in option.flags:
            if text.startswith("--") or text == current:
                yield Candidate(text, option.help)


def _values(kind: Kind, current: str, names: Names) -> Iterator[Candidate]:
    for word in kind.choices:
        yield Candidate(word)
    for one in _named(kind.completes, current, names):
        yield Candidate(f"{one.text}=", one.says) if kind.metavar == "JOB=N" else one


def _named(completes: Sequence[str], current: str, names: Names) -> Iterator[Candidate]:
    for each in completes:
        for name, says in names(each, current):
            yield Candidate(name, says)
