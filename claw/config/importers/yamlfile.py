"""YAML, with the lines that its keys stand on; the only user of PyYAML."""

import re
from dataclasses import dataclass, field

import yaml

from claw.config.locate import Path
from claw.errors import UsageError

_MOST_NODES = 100_000
_OLD = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "timestamp"))


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML 1.2's idea of plain words: ``no`` and ``on``, ``18:00`` and dates are texts."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag not in _OLD]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile("^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)


@dataclass(slots=True)
class Whole:
    """A document: its value, and where its keys are."""

    value: object
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, *path: str | int) -> int:
        """Return the line of a key, or of the nearest one around it."""
        found = tuple(path)
        while found and found not in self.lines:
            found = found[:-1]
        return self.lines.get(found, 0)


def read(text: str, file: str) -> Whole:
    """Return the first document of a text.

    Raises:
        UsageError: It is no YAML.
    """
    try:
        loader = _Loader(text)
        node = loader.get_node() if loader.check_node() else None
        if node is None:
            return Whole(None)
        whole = Whole(None)
        _note_lines(node, (), whole.lines, [0])
        whole.value = _plain(loader.construct_document(node), frozenset(), [0])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no YAML: {' '.join(str(error).split())}") from None
    return whole


def _plain(value: object, around: frozenset[int], count: list[int]) -> object:
    """Return a value whose keys are texts.

    Raises:
        ValueError: It holds itself, or far too much by aliases of aliases.
    """
    count[0] += 1
    if count[0] > _MOST_NODES:
        raise ValueError("too large, with its aliases")
    if not isinstance(value, dict | list):
        return value
    if id(value) in around:
        raise ValueError("an alias leads back to what it is in")
    inside = around | {id(value)}
    if isinstance(value, list):
        return [_plain(one, inside, count) for one in value]
    return {
        "null" if key is None else str(key): _plain(one, inside, count)
        for key, one in value.items()
    }


def _note_lines(node: yaml.Node, path: Path, lines: dict[Path, int], count: list[int]) -> None:
    """Note the line of each key; an alias counts where it is used, as far as there are few."""
    count[0] += 1
    if count[0] > _MOST_NODES:
        return
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                way = (*path, str(key.value))
                lines[way] = key.start_mark.line + 1
                _note_lines(value, way, lines, count)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _note_lines(item, (*path, index), lines, count)
