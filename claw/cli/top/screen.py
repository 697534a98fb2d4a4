"""All that `top` shows, and what the next key is for."""

from __future__ import annotations

from claw.cli.top import columns, keys, news
from claw.cli.top.logpane import LogPane
from claw.cli.top.overlays import Pager
from claw.commands.method import ROLES
from claw.commands.methods import METHODS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar

    from claw.cli.top.keys import Key
    from claw.cli.top.listing import Listing, Row
    from claw.cli.top.overlays import Overlay

_PAGE_OF_RUNS = 200
_MOST_RUNS = 1000
_SHORTEST_S = 0.5
"""Over less than that, ticks of the processor's clock (10 ms) are too coarse to divide by."""


class Screen:
    """What is shown; pure, but for the tables' own state.

    Attributes:
        tab: Which tab.
        tables: The tables by tab.
        logs: The tab Logs.
        overlay: What lies over the tab, or None.
        effects: What keys have led to and is still to be done; whoever does it takes it.
        message: What came of the last command, and whether that is bad.
        hello: What the master has said of itself; None before.
        away: Why no master answers; '' while one does.
        figures: For the head of the screen.
        warnings: What the master has to say beside.
        back_to: The tab from which output was asked for.
        runs_of: Of which job runs are shown; ''.
        more_runs: Whether there are older ones.
        again: Counted up when all is to be asked anew.
        refused: Why some actions are not for this master, by action.
    """

    def __init__(self) -> None:
        self.tab = keys.JOBS
        self.tables: dict[str, Listing] = {
            keys.JOBS: columns.jobs(),
            keys.RUNS: columns.runs(),
            keys.DLQ: columns.dead(),
            keys.CONFIG: columns.definitions(),
        }
        self.logs = LogPane()
        self.overlay: Overlay | None = None
        self.effects: list[news.Effect] = []
        self.message = ("", False)
        self.hello: dict[str, Any] | None = None
        self.away = ""
        self.figures = news.Figures({}, [])
        self.warnings: list[str] = []
        self.back_to = keys.JOBS
        self.runs_of = ""
        self.more_runs = False
        self.again = 0
        self.refused: dict[str, str] = {}
        self._runs = _PAGE_OF_RUNS
        self._height = 20
        self._used: dict[str, tuple[int, float, float]] = {}

    @property
    def table(self) -> Listing:
        """The table of the tab, or of the first one where there is none."""
        return self.tables.get(self.tab, self.tables[keys.JOBS])

    @property
    def height(self) -> int:
        """How many rows the screen shows."""
        return self._height

    @height.setter
    def height(self, height: int) -> None:
        self._height = max(height, 1)

    @property
    def wishes(self) -> news.Wishes:
        """What the master is to be asked."""
        overlay = self.overlay
        shown = self.tables[keys.JOBS].visible(self._height) if self.tab == keys.JOBS else []
        return news.Wishes(
            tab=self.tab,
            names=tuple(row["name"] for row in shown),
            about=overlay.about if isinstance(overlay, Pager) else None,
            runs_of=self.runs_of,
            runs=self._runs,
            again=self.again,
        )

    @property
    def alerts(self) -> list[str]:
        """What is worth somebody's attention, each once."""
        return list(dict.fromkeys([one["text"] for one in self.figures.alerts] + self.warnings))

    def may(self, method: str) -> bool:
        """Tell whether the role lets one call a method; yes while it is not known."""
        known = METHODS.get(method)
        role = str((self.hello or {}).get("role", ROLES[-1]))
        if known is None or role not in ROLES:
            return True
        return ROLES.index(role) >= ROLES.index(known.role)

    def may_press(self, key: Key) -> bool:
        """Tell whether a key does what it says."""
        return key.action not in self.refused and self.may(key.method)

    def say(self, text: str, *, is_error: bool = False) -> None:
        """Say something on the last line."""
        self.message = (" ".join(text.split()), is_error)

    def show_tab(self, tab: str) -> None:
        """Go to a tab."""
        self.tab = tab
        self.overlay = None

    def show_runs_of(self, job: str) -> None:
        """Show the runs of one job, or with '' of all."""
        self.runs_of, self._runs = job, _PAGE_OF_RUNS
        self.tables[keys.RUNS].forget()
        self.tables[keys.RUNS].narrow("")
        self.show_tab(keys.RUNS)

    def want_older_runs(self) -> None:
        """Ask for more runs, at the end of those that are known."""
        if self.more_runs and self._runs < _MOST_RUNS:
            self._runs += _PAGE_OF_RUNS

    def take(self, told: news.News) -> None:
        """Take in what was heard."""
        self._TAKEN[type(told)](self, told)

    def _linked(self, told: news.Linked) -> None:
        if self.away:
            self.say("the daemon is back")
        self.hello, self.away = told.hello, ""

    def _gone(self, told: news.Away) -> None:
        self.away = told.why

    def _jobs(self, told: news.Jobs) -> None:
        rows = [self._with_load(row, told.at) for row in told.reply["jobs"]]
        table = self.tables[keys.JOBS]
        if told.is_all:
            table.replace({**(table.row(row["name"]) or {}), **row} for row in rows)
            self.warnings = list(told.reply.get("warnings", ()))
            self._used = {name: self._used[name] for name in self._used if table.row(name)}
        else:
            table.update(rows)

    def _with_load(self, row: Row, at: float) -> Row:
        """Add how much of a processor a job uses, from what it had used when last seen."""
        name, pid, used = row["name"], row.get("pid"), row.get("cpu_time")
        if not pid:
            self._used.pop(name, None)
            return {**row, "load": None, "memory": None, "processes": None}
        if used is None:
            return row
        before = self._used.get(name)
        if before is None or before[0] != pid:
            row = {**row, "load": None}
        elif at - before[2] < _SHORTEST_S:
            return row
        else:
            row = {**row, "load": max(used - before[1], 0.0) / (at - before[2])}
        self._used[name] = (pid, used, at)
        return row

    @property
    def totals(self) -> tuple[float, int]:
        """Processor (1.0 is one of them) and memory of all jobs, as far as known."""
        rows = self.tables[keys.JOBS].rows
        load = sum(row.get("load") or 0.0 for row in rows)
        return load, sum(row.get("memory") or 0 for row in rows)

    def _table(self, told: news.Table) -> None:
        self.tables[told.tab].replace(told.rows)
        if told.tab == keys.RUNS:
            self.more_runs = told.is_more

    def _figures(self, told: news.Figures) -> None:
        self.figures = told

    def _detail(self, told: news.Detail) -> None:
        if isinstance(self.overlay, Pager) and self.overlay.about == told.about:
            self.overlay.parts = told.parts

    def _output(self, told: news.Output) -> None:
        if told.asked == self.logs.asked:
            self.logs.add(told.text)
            if told.note is not None:
                self.logs.note = told.note

    def _done(self, told: news.Done) -> None:
        self.say(told.text, is_error=told.is_error)

    _TAKEN: ClassVar[dict[type, Callable[[Screen, Any], None]]] = {
        news.Linked: _linked, news.Away: _gone, news.Jobs: _jobs, news.Table: _table,
        news.Figures: _figures, news.Detail: _detail, news.Output: _output, news.Done: _done,
    }  # fmt: skip
