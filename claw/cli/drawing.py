"""Draws what needs what, in layers, one above the other, with lines between them.

::

          ✓ dump
             │
      ┌──────┴──────┐
    ✓ check       ▸ upload
      └──────┬──────┘
          ○ report

A step stands one layer below the lowest that it needs; a need over several layers runs through
those between. Lines that cross have nothing to do with each other; those that meet do.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_GAP = 3
_SWEEPS = 4
_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_FLAT = _LEFT | _RIGHT
_UNICODE = {
    _UP | _DOWN: "│", _LEFT | _RIGHT: "─", _UP | _LEFT: "┘", _UP | _RIGHT: "└",
    _DOWN | _LEFT: "┐", _DOWN | _RIGHT: "┌", _UP | _DOWN | _LEFT: "┤",
    _UP | _DOWN | _RIGHT: "├", _UP | _LEFT | _RIGHT: "┴", _DOWN | _LEFT | _RIGHT: "┬",
    _UP | _DOWN | _LEFT | _RIGHT: "┼",
}  # fmt: skip
_ASCII = {_UP | _DOWN: "|", _LEFT | _RIGHT: "-"}

Node = str | tuple[str, str, int]
"""A step, or where the line of a need passes a layer."""


class Box:
    """One thing that is drawn.

    Attributes:
        name: What others need it by.
        label: What stands there.
        needs: What it needs.
    """

    __slots__ = ("label", "name", "needs")

    def __init__(self, name: str, label: str, needs: Sequence[str]) -> None:
        self.name = name
        self.label = label
        self.needs = needs


def draw(
    boxes: Sequence[Box],
    *,
    width: int = 0,
    is_unicode: bool = True,
    paint: Callable[[str, str], str] = lambda _name, label: label,
) -> list[str] | None:
    """Return the lines of a drawing; None: it would be too wide.

    Args:
        boxes: What is drawn; nothing needs itself over any number of steps.
        width: So many columns there are; 0: as many as need be.
        is_unicode: Whether lines may be more than ``|-+``.
        paint: Given a name and its label, adds colour.
    """
    plan = _Plan(boxes)
    if width and plan.width > width:
        return None
    lines: list[str] = []
    for number, row in enumerate(plan.rows):
        lines.append(plan.text_of(row, paint, "│" if is_unicode else "|"))
        if number + 1 < len(plan.rows):
            lines += plan.between(number, _UNICODE if is_unicode else _ASCII)
    return [line.rstrip() for line in lines]


class _Plan:
    """Where everything stands."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self._labels = {box.name: box.label for box in boxes}
        levels = _levels(boxes)
        self.rows: list[list[Node]] = [[] for _ in range(max(levels.values(), default=-1) + 1)]
        self._parents: dict[Node, list[Node]] = {}
        for box in boxes:
            self.rows[levels[box.name]].append(box.name)
        for box in boxes:
            self._parents[box.name] = [
                self._way(need, box.name, levels) for need in dict.fromkeys(box.needs)
            ]
        self._arrange()
        self._at: dict[Node, int] = {}
        self._place()

    def _way(self, need: str, name: str, levels: Mapping[str, int]) -> Node:
        """Return what stands above a step for one of its needs, in the layer just above."""
        last: Node = need
        for level in range(levels[need] + 1, levels[name]):
            node: Node = (need, "", level)
            if node not in self._parents:  # all who need the same share the line
                self._parents[node] = [last]
                self.rows[level].append(node)
            last = node
        return last

    def _arrange(self) -> None:
        """Order the layers so that few lines cross: each by the middle of its neighbours."""
        children: dict[Node, list[Node]] = {}
        for node, parents in self._parents.items():
            for parent in parents:
                children.setdefault(parent, []).append(node)
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            near = self._parents if down else children
            rows = self.rows if down else self.rows[::-1]
            for above, row in pairwise(rows):
                place = {node: no for no, node in enumerate(above)}
                own = {node: no for no, node in enumerate(row)}

                row.sort(key=partial(_middle, near=near, place=place, own=own))

    def _width_of(self, node: Node) -> int:
        return len(self._labels[node]) if isinstance(node, str) else 1

    def _place(self) -> None:
        """Give each its column: below the middle of what it needs, if there is room."""
        above: list[Node] = []
        for row in self.rows:
            wanted = [self._wanted(node) for node in row]
            starts: list[int] = []
            end = -(10**6)
            for node, middle in zip(row, wanted, strict=True):
                half = self._width_of(node) // 2
                start = max(end, 0 if middle is None else middle - half)
                starts.append(start)
                end = start + self._width_of(node) + _GAP
            off = [
                start + self._width_of(node) // 2 - middle
                for node, start, middle in zip(row, starts, wanted, strict=True)
                if middle is not None
            ]
            shift = sum(off) // len(off) if off else 0
            self._settle(row, [start - shift for start in starts], above)
            above = row
        least = min(
            (self._at[node] - self._width_of(node) // 2 for node in self._at), default=0
        )
        self._at = {node: at - least for node, at in self._at.items()}

    def _settle(self, row: list[Node], starts: list[int], above: list[Node]) -> None:
        """Note the columns of a layer; nobody's line ends where another's begins."""
        pushed = 0
        for node, start in zip(row, starts, strict=True):
            foreign = {self._at[one] for one in above if one not in self._parents[node]}
            half = self._width_of(node) // 2
            while start + pushed + half in foreign:
                pushed += 1
            self._at[node] = start + pushed + half

    def _wanted(self, node: Node) -> int | None:
        found = [self._at[one] for one in self._parents[node]]
        return sum(found) // len(found) if found else None

    @property
    def width(self) -> int:
        """How many columns it takes."""
        ends = (
            self._at[node] - self._width_of(node) // 2 + self._width_of(node)
            for node in self._at
        )
        return max(ends, default=0)

    def text_of(self, row: list[Node], paint: Callable[[str, str], str], line: str) -> str:
        """Return the line of a layer."""
        text, column = "", 0
        for node in row:
            start = self._at[node] - self._width_of(node) // 2
            text += " " * (start - column)
            text += paint(node, self._labels[node]) if isinstance(node, str) else line
            column = start + self._width_of(node)
        return text

    def between(self, number: int, letters: Mapping[int, str]) -> list[str]:
        """Return the lines between a layer and the next."""
        nets: dict[tuple[int, ...], list[int]] = {}  # who needs the same, by what that is
        for node in self.rows[number + 1]:
            sources = tuple(sorted({self._at[one] for one in self._parents[node]}))
            if sources:
                nets.setdefault(sources, []).append(self._at[node])
        tracks = _tracks(nets)
        count = max(tracks.values(), default=0) + 1
        grid = [dict[int, int]() for _ in range(count)]
        for sources, drops in nets.items():
            for at in sources:
                _upright(grid[: tracks[sources]], at)
            for at in drops:
                _upright(grid[tracks[sources] + 1 :], at)
        for sources, drops in nets.items():
            _along(grid[tracks[sources]], sources, drops)
        return [_line(row, letters) for row in grid]


def _upright(rows: Sequence[dict[int, int]], at: int) -> None:
    for row in rows:
        row[at] = _UP | _DOWN


def _along(row: dict[int, int], sources: Sequence[int], drops: Sequence[int]) -> None:
    """Draw the line that joins all that goes up from it and down; over others it has a gap."""
    left, right = min(*sources, *drops), max(*sources, *drops)
    for column in range(left, right + 1):
        ways = (_LEFT if column > left else 0) | (_RIGHT if column < right else 0)
        ways |= (_UP if column in sources else 0) | (_DOWN if column in drops else 0)
        if ways == _FLAT:
            row.setdefault(column, _FLAT)
        else:
            row[column] = row.get(column, 0) | ways


def _tracks(nets: Mapping[tuple[int, ...], list[int]]) -> dict[tuple[int, ...], int]:
    """Return on which line each runs to the side; those that touch have lines apart."""
    found: dict[tuple[int, ...], int] = {}
    taken: list[list[tuple[int, int]]] = []
    for sources, drops in nets.items():
        left, right = min(*sources, *drops), max(*sources, *drops)
        for number, spans in enumerate(taken):
            if all(right < begin - 1 or left > end + 1 for begin, end in spans):
                spans.append((left, right))
                found[sources] = number
                break
        else:
            found[sources] = len(taken)
            taken.append([(left, right)])
    return found


def _middle(
    node: Node,
    near: Mapping[Node, Sequence[Node]],
    place: Mapping[Node, int],
    own: Mapping[Node, int],
) -> float:
    """Return where among its neighbours a node belongs; without any it stays."""
    found = [place[one] for one in near.get(node, ()) if one in place]
    return sum(found) / len(found) if found else float(own[node])


def _levels(boxes: Sequence[Box]) -> dict[str, int]:
    levels: dict[str, int] = {}
    rest = list(boxes)
    while rest:
        ready = [box for box in rest if all(need in levels for need in box.needs)]
        for box in ready:
            levels[box.name] = max((levels[need] + 1 for need in box.needs), default=0)
        rest = [box for box in rest if box.name not in levels]
        if not ready:
            raise ValueError("these need each other in a circle")
    return levels


def _line(row: Mapping[int, int], letters: Mapping[int, str]) -> str:
    last = max(row, default=-1)
    return "".join(
        letters.get(row[column], "+") if column in row else " " for column in range(last + 1)
    )
