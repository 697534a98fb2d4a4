"""The keys that have the master do something, with what is asked before."""

from __future__ import annotations

from functools import partial

from claw.cli.top import news
from claw.cli.top.overlays import Prompt, Question
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from claw.cli.top.listing import Row
    from claw.cli.top.screen import Screen

_MOST_NAMED = 3


def _aimed(screen: Screen, key: str) -> list[str]:
    """Return what the next command is for; says so when that is nothing."""
    found = [str(row[key]) for row in screen.table.aimed]
    if not found:
        screen.say("nothing is selected", is_error=True)
    return found


def _named(names: Sequence[str], what: str) -> str:
    if len(names) <= _MOST_NAMED:
        return ", ".join(names)
    return f"{len(names)} {what}"


def _want(screen: Screen, ask: news.Ask) -> None:
    screen.table.marked.clear()
    screen.say(f"{ask.says} ...")
    screen.effects.append(ask)


def _on_jobs(verb: str, method: str) -> Callable[[Screen], None]:
    def act(screen: Screen) -> None:
        names = _aimed(screen, "name")
        if names:
            says = f"{verb} {_named(names, 'jobs')}"
            _want(screen, news.Ask(method, {"targets": names}, says))

    return act


def _surely(screen: Screen, ask: news.Ask, more: str = "") -> None:
    text = f"{ask.says}{more}? y/n"
    screen.overlay = Question(text, partial(_want, screen, ask))


def _on_jobs_surely(verb: str, method: str, **more: object) -> Callable[[Screen], None]:
    def act(screen: Screen) -> None:
        names = _aimed(screen, "name")
        if names:
            says = f"{verb} {_named(names, 'jobs')}"
            _surely(screen, news.Ask(method, {"targets": names, **more}, says))

    return act


def _run(screen: Screen) -> None:
    names = dict.fromkeys(row.get("job") or row["name"] for row in screen.table.aimed)
    if not names:
        screen.say("nothing is selected", is_error=True)
    for name in names:
        asked = {"job": name, "force": True}
        _want(screen, news.Ask("run.submit", asked, f"run {name}", "submitted"))


def _pause(screen: Screen) -> None:
    """Pause; those that are paused are resumed instead."""
    rows = screen.table.aimed
    paused = [row["name"] for row in rows if row["state"] == "paused"]
    others = [row["name"] for row in rows if row["state"] != "paused"]
    if not rows:
        screen.say("nothing is selected", is_error=True)
    for verb, names in (("pause", others), ("resume", paused)):
        if names:
            says = f"{verb} {_named(names, 'jobs')}"
            _want(screen, news.Ask(f"job.{verb}", {"targets": names}, says))


def _edit(screen: Screen) -> None:
    row = screen.table.selected
    if row is not None:
        screen.effects.append(news.Edit(row.get("job") or row["name"]))


def _tag(screen: Screen) -> None:
    """Edit the tags of the selected job, or add some to all marked and take some away."""
    rows = screen.table.aimed
    names = list(dict.fromkeys(row.get("job") or row["name"] for row in rows))
    if not names:
        screen.say("nothing is selected", is_error=True)
    elif len(names) == 1:
        label, text = f"tags of {names[0]}: ", " ".join(rows[0]["tags"])
        screen.overlay = Prompt(label, text, partial(_retag, screen, rows[0], names[0]))
    else:
        label = f"tags of {len(names)} jobs, +NEW -OLD: "
        screen.overlay = Prompt(label, "", partial(_change_tags, screen, names))


def _retag(screen: Screen, row: Row, name: str, text: str) -> None:
    wanted = list(dict.fromkeys(text.replace(",", " ").split()))
    if wanted == list(row["tags"]):
        screen.say("nothing has changed")
        return
    change = {"key": "tags", "op": "=", "value": wanted}
    asked = {"targets": [name], "changes": [change]}
    _want(screen, news.Ask("job.set", asked, f"tag {name}", "tagged"))


def _change_tags(screen: Screen, names: list[str], text: str) -> None:
    words = text.replace(",", " ").split()
    changes: list[dict[str, Any]] = []
    for op, gone in (("+=", False), ("-=", True)):
        some = [word.lstrip("+-") for word in words if word.startswith("-") == gone]
        if some:
            changes.append({"key": "tags", "op": op, "value": some})
    if not changes:
        screen.say("nothing has changed")
        return
    asked = {"targets": names, "changes": changes}
    _want(screen, news.Ask("job.set", asked, f"tag {len(names)} jobs", "tagged"))


def _short(runs: Sequence[str]) -> list[str]:
    return [ids.short(one) for one in runs]


def _cancel(screen: Screen) -> None:
    found = _aimed(screen, "id")
    if found:
        says = f"cancel {_named(_short(found), 'runs')}"
        _surely(screen, news.Ask("run.cancel", {"targets": found}, says, "canceled"))


def _retry(screen: Screen) -> None:
    found = _aimed(screen, "id")
    if found:
        # Rows come and go above the selected one: what is meant is asked.
        says = f"run {_named(_short(found), 'runs')} again"
        _surely(screen, news.Ask("run.retry", {"targets": found}, says, "retried"))


def _reinject(screen: Screen) -> None:
    found = _aimed(screen, "id")
    if found:
        says = f"reinject {_named(_short(found), 'dead letters')}"
        _surely(screen, news.Ask("dlq.reinject", {"runs": found}, says, "reinjected"))


def _purge(screen: Screen) -> None:
    found = _aimed(screen, "id")
    if found:
        says = f"purge {_named(_short(found), 'dead letters')}"
        more = "; the runs stay in the history"
        _surely(screen, news.Ask("dlq.purge", {"runs": found}, says, "purged"), more)


def _reload(screen: Screen) -> None:
    ask = news.Ask("config.reload", {}, "reload", "plan")
    _surely(screen, ask, " the configuration")


ACTIONS: dict[str, Callable[[Screen], None]] = {
    "start": _on_jobs("start", "job.start"),
    "stop": _on_jobs_surely("stop", "job.stop"),
    "kill": _on_jobs_surely("kill", "job.stop", force=True),
    "restart": _on_jobs_surely("restart", "job.restart"),
    "run": _run, "pause": _pause, "tag": _tag, "edit": _edit, "cancel": _cancel,
    "retry": _retry, "reinject": _reinject, "purge": _purge, "reload": _reload,
}  # fmt: skip
"""The actions of `keys` that are carried out by the master; each has a method there."""
