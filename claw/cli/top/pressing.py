"""What keys do: each action of `keys` is a function here."""

from __future__ import annotations

from functools import partial

from claw.cli.top import commanding, keys, news
from claw.cli.top.overlays import Chooser, Pager, Prompt
from claw.commands.methods import METHODS
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from claw.cli.top.keys import Key
    from claw.cli.top.screen import Screen


def press(screen: Screen, name: str, data: str) -> None:
    """Take a key.

    Args:
        screen: It changes.
        name: The key's name.
        data: What it types.
    """
    overlay = screen.overlay
    if overlay is not None:
        if name == "c-c" and not isinstance(overlay, Prompt):
            screen.effects.append(news.Leave())
        elif not overlay.press(name, data) and screen.overlay is overlay:
            screen.overlay = None
        return
    key = keys.BY_TAB[screen.tab].get(name)
    screen.message = ("", False)
    if key is None:
        if data.isprintable() and data:
            screen.say(f"{data} does nothing here: ? shows what does", is_error=True)
    elif not screen.may_press(key):
        screen.say(_refusal(screen, key), is_error=True)
    else:
        ACTIONS[key.action](screen)


def _refusal(screen: Screen, key: Key) -> str:
    if key.action in screen.refused:
        return screen.refused[key.action]
    needed, own = METHODS[key.method].role, (screen.hello or {}).get("role", "")
    return f"{key.label} ({key.says}) needs the role {needed}; yours is {own}"


def _tab(tab: str) -> Callable[[Screen], None]:
    return lambda screen: screen.show_tab(tab)


def _beside(step: int) -> Callable[[Screen], None]:
    def go(screen: Screen) -> None:
        at = keys.TABS.index(screen.tab) + step
        tab = keys.TABS[at % len(keys.TABS)]
        (_logs_tab if tab == keys.LOGS else _tab(tab))(screen)

    return go


def _move(step: int) -> Callable[[Screen], None]:
    def move(screen: Screen) -> None:
        if screen.tab == keys.LOGS:
            screen.logs.scroll(step)
            return
        screen.table.move(step)
        if screen.tab == keys.RUNS and screen.table.at == len(screen.table.view) - 1:
            screen.want_older_runs()

    return move


def _page(sign: int) -> Callable[[Screen], None]:
    return lambda screen: _move(sign * max(screen.height - 1, 1))(screen)


def _logs_tab(screen: Screen) -> None:
    """Show the tab Logs; of the selected job, if nothing was chosen yet."""
    if not screen.logs.target:
        row = screen.tables[keys.JOBS].selected
        _show_output(screen, row["name"] if row else "all", row["name"] if row else "all jobs")
    screen.show_tab(keys.LOGS)


def _show_output(screen: Screen, target: str, label: str) -> None:
    if target != screen.logs.target:
        screen.logs.show(target, label)
    if screen.tab != keys.LOGS:
        screen.back_to = screen.tab
    screen.show_tab(keys.LOGS)


def _logs(screen: Screen) -> None:
    row = screen.table.selected
    if row is None:
        screen.say("nothing is selected", is_error=True)
    elif "name" in row:
        _show_output(screen, row["name"], row["name"])
    else:
        _show_output(screen, row["id"], f"run {ids.short(row['id'])} of {row['job']}")


def _all_logs(screen: Screen) -> None:
    _show_output(screen, "all", "all jobs")


def _history(screen: Screen) -> None:
    row = screen.table.selected
    if row is not None:
        screen.show_runs_of(row.get("job") or row["name"])


def _detail(screen: Screen) -> None:
    row = screen.table.selected
    if row is None:
        return
    kind = {keys.JOBS: "job", keys.CONFIG: "definition"}.get(screen.tab, "run")
    name = row["id"] if kind == "run" else row["name"]
    title = f"run {ids.short(name)} of {row['job']}" if kind == "run" else name
    screen.overlay = Pager(title, (kind, name))


def _plan(screen: Screen) -> None:
    screen.overlay = Pager("what a reload would do", ("plan", ""))


def _alerts(screen: Screen) -> None:
    lines = screen.alerts or ["no alerts, no warnings"]
    screen.overlay = Pager("alerts and warnings", None, lines)


def _help(screen: Screen) -> None:
    screen.overlay = Pager("keys", None, help_lines(screen))


def help_lines(screen: Screen) -> list[str]:
    """Return the page of ``?``: the keys of the tab, then those of all."""
    tab = screen.tab
    own = [key for key in keys.KEYS if tab in key.tabs and len(key.tabs) < len(keys.TABS)]
    others = [key for key in keys.KEYS if key.tabs == keys.TABS]
    lines = [f"in {keys.TITLES[tab]}", ""]
    for key in [*own, None, *others]:
        if key is None:
            lines += ["", "everywhere", ""]
            continue
        denied = "" if screen.may(key.method) else "  (not for your role)"
        denied = "  (only where the daemon is)" if key.action in screen.refused else denied
        lines.append(f"  {key.label:12} {key.says}{denied}")
    return lines


def _filter(screen: Screen) -> None:
    table = screen.table
    screen.overlay = Prompt("filter: ", table.filter, table.narrow, table.narrow)


def _sort(step: int) -> Callable[[Screen], None]:
    def sort(screen: Screen) -> None:
        screen.say(f"sorted by {screen.table.sort_beside(step)}")
        screen.effects.append(news.Remember())

    return sort


def _invert(screen: Screen) -> None:
    table = screen.table
    if not table.sort:
        table.sort_beside(1)
    table.sort_by(table.sort, is_descending=not table.is_descending)
    screen.effects.append(news.Remember())


def _columns(screen: Screen) -> None:
    screen.overlay = Chooser(screen.table, lambda: screen.effects.append(news.Remember()))


def _search(screen: Screen) -> None:
    screen.overlay = Prompt("search: ", "", partial(_search_for, screen))


def _search_for(screen: Screen, text: str) -> None:
    screen.logs.needle = text
    # What came last is looked at first, as with less(1) at the end of a file.
    if text and not screen.logs.search(-1) and not screen.logs.search(1):
        screen.say(f"{text!r} is not there", is_error=True)


def _search_on(step: int) -> Callable[[Screen], None]:
    def search(screen: Screen) -> None:
        if not screen.logs.needle:
            screen.say("/ says what is searched", is_error=True)
        elif not screen.logs.search(step):
            where = "below" if step > 0 else "above"
            screen.say(f"{screen.logs.needle!r} is not there {where}", is_error=True)

    return search


def _only(screen: Screen) -> None:
    screen.overlay = Prompt(
        "only lines with: ", screen.logs.only, screen.logs.choose, screen.logs.choose
    )


def _stream(screen: Screen) -> None:
    screen.logs.clear()
    screen.say(f"output: {screen.logs.next_stream()}")


def _times(screen: Screen) -> None:
    screen.logs.clear()
    screen.logs.has_times = not screen.logs.has_times


def _wrap(screen: Screen) -> None:
    screen.logs.is_wrapped = not screen.logs.is_wrapped


def _first(screen: Screen) -> None:
    _move(-_FAR)(screen)


def _last(screen: Screen) -> None:
    _move(_FAR)(screen)


def _back(screen: Screen) -> None:
    """Take back what narrows the tab: marks, filter, the job of the runs, a search."""
    if screen.tab == keys.LOGS:
        if screen.logs.only or screen.logs.needle:
            screen.logs.choose("")
            screen.logs.needle = ""
        elif not screen.logs.is_following:
            screen.logs.follow()
        else:
            screen.show_tab(screen.back_to)
    elif screen.table.marked:
        screen.table.marked.clear()
    elif screen.table.filter:
        screen.table.narrow("")
    elif screen.tab == keys.RUNS and screen.runs_of:
        screen.show_runs_of("")
    else:
        screen.show_tab(keys.JOBS)


def _refresh(screen: Screen) -> None:
    screen.again += 1
    screen.say("refreshed")


def _effect(effect: news.Effect) -> Callable[[Screen], None]:
    return lambda screen: screen.effects.append(effect)


_FAR = 1 << 30
ACTIONS: dict[str, Callable[[Screen], None]] = {
    **commanding.ACTIONS,
    "mark": lambda screen: screen.table.mark(),
    "unmark": lambda screen: screen.table.marked.clear(),
    "logs": _logs, "history": _history, "detail": _detail, "plan": _plan, "alerts": _alerts,
    "filter": _filter, "sort_left": _sort(-1), "sort_right": _sort(1), "invert": _invert,
    "columns": _columns, "search": _search, "search_next": _search_on(1),
    "search_previous": _search_on(-1), "only": _only, "stream": _stream, "times": _times,
    "wrap": _wrap, "all_logs": _all_logs, "follow": lambda screen: screen.logs.follow(),
    "log_left": lambda screen: screen.logs.shift(-1),
    "log_right": lambda screen: screen.logs.shift(1),
    "up": _move(-1), "down": _move(1), "page_up": _page(-1), "page_down": _page(1),
    "first": _first, "last": _last, "jobs": _tab(keys.JOBS), "logs_tab": _logs_tab,
    "runs_tab": _tab(keys.RUNS), "dlq_tab": _tab(keys.DLQ), "config_tab": _tab(keys.CONFIG),
    "tab_right": _beside(1), "tab_left": _beside(-1), "refresh": _refresh, "back": _back,
    "help": _help, "quit": _effect(news.Leave()), "suspend": _effect(news.Suspend()),
    "redraw": _effect(news.Redraw()),
}  # fmt: skip
"""What each action of `keys` does."""
