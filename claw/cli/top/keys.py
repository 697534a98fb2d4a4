"""The keys, as data: what they do, where, and what they need; ``?`` shows this table."""

from __future__ import annotations

JOBS, LOGS, RUNS, DLQ, CONFIG = TABS = ("jobs", "logs", "runs", "dlq", "config")
"""The tabs, on the keys 1 to 5."""
TITLES = {JOBS: "Jobs", LOGS: "Logs", RUNS: "Runs", DLQ: "DLQ", CONFIG: "Config"}
TABLES = (JOBS, RUNS, DLQ, CONFIG)
"""The tabs that show a table."""


class Key:
    """One key, or several that do the same.

    Attributes:
        action: What it does, by name.
        keys: Their names, as a terminal's keys are called.
        says: What it does, in words.
        tabs: Where.
        method: What of the master's it calls: of that the role must be.
        label: How it is written.
    """

    __slots__ = ("action", "keys", "label", "method", "says", "tabs")

    def __init__(
        self,
        keys: str,
        action: str,
        says: str,
        *,
        tabs: tuple[str, ...] = TABS,
        method: str = "",
    ) -> None:
        self.keys = tuple(keys.split())
        self.action = action
        self.says = says
        self.tabs = tabs
        self.method = method
        self.label = " ".join(_LABELS.get(key, key) for key in self.keys)


_LABELS = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn",
    "home": "Home", "end": "End", "enter": "Enter", "escape": "Esc", "space": "Space",
    "tab": "Tab", "s-tab": "⇧Tab", "c-c": "^C", "c-z": "^Z", "c-l": "^L", "c-b": "^B",
    "c-f": "^F", "c-p": "^P", "c-n": "^N",
}  # fmt: skip

KEYS = (
    Key("s", "start", "start", tabs=(JOBS,), method="job.start"),
    Key("x", "stop", "stop; asks first", tabs=(JOBS,), method="job.stop"),
    Key("X", "kill", "kill at once, without grace; asks", tabs=(JOBS,), method="job.stop"),
    Key("R", "restart", "restart; asks first", tabs=(JOBS,), method="job.restart"),
    Key("f", "run", "run now, whatever holds it back", tabs=(JOBS,), method="run.submit"),
    Key("p", "pause", "pause, or resume what is paused", tabs=(JOBS,), method="job.pause"),
    Key("t", "tag", "edit the tags", tabs=(JOBS, CONFIG), method="job.set"),
    Key("e", "edit", "edit the job in $EDITOR", tabs=(JOBS, CONFIG), method="config.reload"),
    Key("space", "mark", "mark: the next command is for all marked", tabs=TABLES),
    Key("u", "unmark", "take all marks away", tabs=TABLES),
    Key("l", "logs", "show its output", tabs=TABLES),
    Key("h", "history", "show its runs", tabs=(JOBS, CONFIG)),
    Key("x", "cancel", "cancel the run; asks first", tabs=(RUNS,), method="run.cancel"),
    Key("f", "retry", "run what has failed again; asks", tabs=(RUNS,), method="run.retry"),
    Key("f", "reinject", "have it done again; asks", tabs=(DLQ,), method="dlq.reinject"),
    Key("x", "purge", "no dead letter any more; asks", tabs=(DLQ,), method="dlq.purge"),
    Key("P", "plan", "show what a reload would do", tabs=(CONFIG,), method="config.reload"),
    Key("L", "reload", "reload; asks first", tabs=(CONFIG,), method="config.reload"),
    Key("enter", "detail", "show all that is known of it", tabs=TABLES),
    Key("/", "filter", "filter: word, field:word, !word", tabs=TABLES),
    Key("<", "sort_left", "sort by the column to the left", tabs=TABLES),
    Key(">", "sort_right", "sort by the column to the right", tabs=TABLES),
    Key("I", "invert", "turn the order round", tabs=TABLES),
    Key("C", "columns", "choose columns; they are remembered", tabs=TABLES),
    Key("/", "search", "search", tabs=(LOGS,)),
    Key("n", "search_next", "next match, further down", tabs=(LOGS,)),
    Key("N", "search_previous", "previous match, further up", tabs=(LOGS,)),
    Key("&", "only", "show only lines with a text", tabs=(LOGS,)),
    Key("o", "stream", "stdout, stderr, or both", tabs=(LOGS,)),
    Key("T", "times", "show when each line was written", tabs=(LOGS,)),
    Key("w", "wrap", "wrap long lines, or cut them", tabs=(LOGS,)),
    Key("a", "all_logs", "output of all jobs", tabs=(LOGS,)),
    Key("F", "follow", "follow what comes", tabs=(LOGS,)),
    Key("left", "log_left", "to the left", tabs=(LOGS,)),
    Key("right", "log_right", "to the right", tabs=(LOGS,)),
    Key("up k c-p", "up", "up"),
    Key("down j c-n", "down", "down"),
    Key("pageup c-b", "page_up", "a page up"),
    Key("pagedown c-f", "page_down", "a page down"),
    Key("home g", "first", "to the first"),
    Key("end G", "last", "to the last"),
    Key("1", "jobs", "jobs"),
    Key("2", "logs_tab", "output"),
    Key("3", "runs_tab", "runs"),
    Key("4", "dlq_tab", "dead letters"),
    Key("5", "config_tab", "configuration"),
    Key("tab", "tab_right", "the next tab"),
    Key("s-tab", "tab_left", "the tab before"),
    Key("!", "alerts", "show alerts and warnings"),
    Key("r", "refresh", "refresh"),
    Key("escape", "back", "back: from a detail, a filter, marks"),
    Key("? f1", "help", "this page"),
    Key("q c-c", "quit", "quit"),
    Key("c-z", "suspend", "suspend; `fg` comes back"),
    Key("c-l", "redraw", "draw the screen anew"),
)  # fmt: skip
"""In the order of help: what is for one tab first."""

BY_TAB = {
    tab: {name: key for key in reversed(KEYS) if tab in key.tabs for name in key.keys}
    for tab in TABS
}
"""What each key does, by tab."""

HINTED = {
    JOBS: (
        "start", "stop", "restart", "run", "pause", "tag", "edit", "detail", "logs", "filter",
    ),
    LOGS: ("search", "only", "stream", "times", "wrap", "follow", "all_logs"),
    RUNS: ("detail", "logs", "cancel", "retry", "filter", "columns"),
    DLQ: ("detail", "logs", "reinject", "purge", "filter"),
    CONFIG: ("detail", "edit", "tag", "plan", "reload", "filter"),
}  # fmt: skip
"""Actions that the last line reminds of."""
HINTS = {
    "start": "start", "stop": "stop", "restart": "restart", "run": "run", "pause": "pause",
    "tag": "tags", "edit": "edit", "detail": "detail", "logs": "logs", "filter": "filter",
    "search": "search", "only": "only", "stream": "stream", "times": "times", "wrap": "wrap",
    "follow": "follow", "all_logs": "all", "cancel": "cancel", "retry": "again",
    "columns": "columns", "reinject": "again", "purge": "forget", "plan": "plan",
    "reload": "reload",
}  # fmt: skip
