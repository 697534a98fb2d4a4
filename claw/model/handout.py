"""What a child is given: files that are made for one attempt, and words of its environment."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_NO_NAME = re.compile(r"[^A-Z0-9]")


def in_capitals(name: str) -> str:
    """Return a name as a part of an environment variable's."""
    return _NO_NAME.sub("_", name.upper())


def namesakes(names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield those of which a child could not be told apart: two, and how both are told."""
    known: dict[str, str] = {}
    for name in names:
        word = in_capitals(name)
        first = known.setdefault(word, name)
        if first != name:
            yield first, name, word


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a file that is there: what another run has printed.

    Attributes:
        path: The file, from the log folder on; of one that is gone nothing is handed out.
        begin: Where the part begins.
        size: Its bytes.
        from_line: What comes before the first line that begins in it is left out.
    """

    path: str
    begin: int
    size: int
    from_line: bool = False


@dataclass(frozen=True, slots=True)
class Handout:
    """One file.

    Attributes:
        variable: Names its path in the child's environment.
        name: What it is called, within the attempt's folder: a plain name.
        content: What it holds.
    """

    variable: str
    name: str
    content: bytes | Slice


@dataclass(slots=True)
class Handouts:
    """All that one attempt is given."""

    env: dict[str, str] = field(default_factory=dict)
    files: list[Handout] = field(default_factory=list)

    def tell(self, facts: Mapping[str, str]) -> None:
        """Say something in the child's environment."""
        self.env.update(facts)

    def give(self, variable: str, name: str, content: bytes | Slice) -> None:
        """Hand a file out."""
        self.files.append(Handout(variable, name, content))
