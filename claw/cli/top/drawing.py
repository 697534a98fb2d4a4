"""From what is shown to lines of the terminal; nothing but what is visible is drawn.

A line is a list of pieces, each a style, as prompt-toolkit writes them, and a text.
"""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.status import COLORS, size
from claw.cli.top import cells, columns, details, keys, tables
from claw.cli.top.overlays import Chooser, Pager, Prompt, Question

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from claw.cli.top.screen import Screen

    Piece = tuple[str, str]
    Line = list[Piece]

_BAR = "reverse"
_FEW_ROWS = 8
_WIDE = 50
_SILENT_S = 3.0


class Look:
    """What a drawing is of, beside the screen.

    Attributes:
        width: Columns of the terminal.
        height: Its rows.
        now: The time.
        silent_s: For how long the master has owed an answer.
        host: Where the master is.
    """

    __slots__ = ("height", "host", "now", "silent_s", "width")

    def __init__(
        self, width: int, height: int, now: datetime, *, silent_s: float = 0.0, host: str = ""
    ) -> None:
        self.width = width
        self.height = height
        self.now = now
        self.silent_s = silent_s
        self.host = host


def draw(screen: Screen, look: Look) -> list[Line]:
    """Return as many lines as the terminal has, and tell the screen how many rows it shows."""
    head = _head(screen, look)
    foot = _foot(screen, look)
    room = max(look.height - len(head) - len(foot), 1)
    body = _body(screen, look, room)[:room]
    body += [[] for _ in range(room - len(body))]
    return [*head, *body, *foot][: look.height]


def as_text(lines: Sequence[Line]) -> list[str]:
    """Return drawn lines without their styles."""
    return ["".join(text for _, text in line).rstrip() for line in lines]


# -- the head ----------------------------------------------------------------------------------


def _head(screen: Screen, look: Look) -> list[Line]:
    lines = [_title(screen, look)]
    if look.height > _FEW_ROWS:
        lines.append(_figures(screen, look.width))
    lines.append(_tabs(screen, look.width))
    trouble = _trouble(screen, look)
    if trouble:
        lines.append([(f"{_BAR} ansired", cells.fit(trouble, look.width))])
    return lines


def _title(screen: Screen, look: Look) -> Line:
    hello, daemon = screen.hello or {}, screen.figures.daemon
    words = [f"claw {hello['version']}"] if hello else ["claw"]
    words += [look.host] if look.host else []
    if daemon:
        words += [f"pid {daemon['pid']}"]
        if not screen.away:
            up = when.relative(daemon["started_at"], look.now).removesuffix(" ago")
            words += [f"up {up}"]
    if hello:
        words.append(str(hello["role"]))
    clock = f"{look.now.astimezone():%H:%M:%S}"
    left = cells.fit("  ".join(words), max(look.width - len(clock) - 1, 0))
    return [("bold", left), ("", cells.cut(f" {clock}", look.width))]


def _figures(screen: Screen, width: int) -> Line:
    """Return how many jobs are in which state, what they use, and what needs a look."""
    jobs = screen.tables[keys.JOBS]
    if not jobs.is_loaded:
        return [("", "waiting for the daemon" if screen.away else "asking the daemon ...")]
    counts: dict[str, int] = {}
    for row in jobs.rows:
        counts[row["state"]] = counts.get(row["state"], 0) + 1
    known = [state for state in columns.STATES if state in counts]
    others = [state for state in counts if state not in columns.STATES]
    line: Line = [("bold", f"{jobs.count} job{'' if jobs.count == 1 else 's'}")]
    # What needs a look comes first, so that a narrow screen has it too.
    alerts = len(screen.alerts)
    if alerts:
        line.append(("ansired", f"  {alerts} alert{'s' if alerts > 1 else ''} (!)"))
    dead = screen.tables[keys.DLQ].count
    if dead:
        line.append(("ansired", f"  {dead} dead"))
    if screen.figures.daemon.get("queued"):
        line.append(("ansiyellow", f"  {screen.figures.daemon['queued']} queued"))
    load, memory = screen.totals
    used = ("", f"  cpu {load * 100:.0f}%  mem {size(memory) or '0B'}")
    states = [*known, *others]
    busy = [state for state in states if state in columns.BUSY]
    calm = [state for state in states if state not in columns.BUSY]
    line += [*_counted(busy, counts), used, *_counted(calm, counts)]
    return _cut_line(line, width)


def _counted(states: Sequence[str], counts: Mapping[str, int]) -> Line:
    return [
        (tables.STYLES[COLORS.get(state, "")], f"  {counts[state]} {state}") for state in states
    ]


def _cut_line(line: Line, width: int) -> Line:
    found: Line = []
    for style, text in line:
        kept = cells.cut(text, width)
        found.append((style, kept))
        width -= cells.width(kept)
    return found


def _tabs(screen: Screen, width: int) -> Line:
    line: Line = []
    pad = " " if width >= _WIDE else ""
    for number, tab in enumerate(keys.TABS, 1):
        style = _BAR if tab == screen.tab else ""
        line += [(style, f"{pad}{number} {keys.TITLES[tab]}{pad}"), ("", "" if pad else " ")]
    return _cut_line([*line, ("ansicyan", f"  {_narrowed(screen)}")], width)


def _narrowed(screen: Screen) -> str:
    """Return what is not shown, and why."""
    if screen.tab == keys.LOGS:
        return tables.of_logs(screen.logs)
    table = screen.table
    words = []
    if screen.tab == keys.RUNS and screen.runs_of:
        words.append(f"of {screen.runs_of}")
    if table.filter:
        words.append(f"{len(table.view)} of {table.count} with {table.filter!r}")
    if table.marked:
        words.append(f"{len(table.marked)} marked")
    return ", ".join(words)


def _trouble(screen: Screen, look: Look) -> str:
    if screen.away:
        return f"the daemon is away, this is how it was: {screen.away}"
    if look.silent_s > _SILENT_S:
        return f"the daemon has not answered for {look.silent_s:.0f} s"
    return ""


# -- the body ----------------------------------------------------------------------------------


def _body(screen: Screen, look: Look, room: int) -> list[Line]:
    overlay = screen.overlay
    if isinstance(overlay, Pager):
        return _page(overlay, look, room)
    if isinstance(overlay, Chooser):
        return _choice(overlay, room)
    if screen.tab == keys.LOGS:
        screen.height = room
        return tables.output(screen.logs, look.width, room)
    screen.height = room - 1
    return tables.rows(screen.table, look.width, room, look.now)


def _page(page: Pager, look: Look, room: int) -> list[Line]:
    lines: Sequence[str] = page.text
    if page.about is not None:
        lines = details.lines_of(page.about, page.parts, look.width, look.now)
    # Nothing is cut here: a page has no other way to be read.
    wrapped = [piece for line in lines for piece in cells.pieces(line, look.width)]
    shown = page.visible(wrapped, room - 1)
    title = f" {page.title}  {page.place}"
    head: Line = [(_BAR, cells.fit(title, look.width))]
    return [head, *([("", line)] for line in shown)]


def _choice(chooser: Chooser, room: int) -> list[Line]:
    lines: list[Line] = []
    for at, column in enumerate(chooser.table.columns):
        mark = "x" if column.name in chooser.table.chosen else " "
        style = _BAR if at == chooser.at else ""
        lines.append([(style, f" [{mark}] {column.name} ")])
    first = max(chooser.at - room + 1, 0)
    return lines[first:]


# -- the foot ----------------------------------------------------------------------------------


def _foot(screen: Screen, look: Look) -> list[Line]:
    overlay = screen.overlay
    if isinstance(overlay, Prompt):
        return [_typed(overlay, look.width)]
    if isinstance(overlay, Question):
        return [[("bold ansiyellow", cells.cut(overlay.text, look.width))]]
    text, is_bad = screen.message
    if text:
        return [[("ansired" if is_bad else "bold", cells.cut(text, look.width))]]
    return [_cut_line(_hints(screen), look.width)]


def _typed(prompt: Prompt, width: int) -> Line:
    """Return the line that is typed, moved so that its cursor is in sight."""
    line = prompt.line
    label = cells.cut(prompt.label, max(width - 10, 0))
    room = max(width - cells.width(label) - 1, 1)
    before, under, after = line.text[: line.at], line.text[line.at : line.at + 1], ""
    after = line.text[line.at + 1 :]
    before = cells.skip(before, max(cells.width(before) - room + 1, 0))
    return _cut_line([("bold", label), ("", before), (_BAR, under or " "), ("", after)], width)


def _hints(screen: Screen) -> Line:
    """Return what the last line reminds of: keys that are not for one's role are grey."""
    overlay = screen.overlay
    if isinstance(overlay, Chooser):
        return [("", "Space shows or hides, Esc is done")]
    if isinstance(overlay, Pager):
        return [("", "↑ ↓ PgUp PgDn  Esc back")]
    own = {key.action: key for key in keys.KEYS if screen.tab in key.tabs}
    line: Line = [("bold", "?"), ("", " help ")]
    for action in keys.HINTED[screen.tab]:
        key = own[action]
        grey = "" if screen.may_press(key) else "ansibrightblack"
        line += [(grey or "bold", f" {key.label}"), (grey, f" {keys.HINTS[action]} ")]
    return [*line, ("bold", " q"), ("", " quit")]
