"""What people see, letter by letter."""

from datetime import UTC, datetime
from typing import Any

import pytest

from claw.cli.prefix import Prefixer
from claw.cli.render import (
    acked,
    acted,
    alerts,
    canceled,
    daemon,
    event,
    explanation,
    fires,
    found,
    plan,
    run,
    runs,
    status,
    waited,
    when,
    workflow,
)
from claw.cli.render.table import Cell, Column, lay_out
from claw.cli.terminal import PLAIN, RED, Style

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
RUN = "r06gvs41ntpo3v0q0rqm0a097hk"


def narrow(width: int, *, color: bool = False) -> Style:
    return Style(is_terminal=True, has_color=color, width=width)


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


JOBS: list[dict[str, Any]] = [
    {"name": "api", "type": "continuous", "state": "backoff", "pid": None, "restarts": 4,
     "why": "the last child ended: exit 1; the next one starts in 8s",
     "next_at": "2026-11-21T12:00:08+00:00",
     "last": {"state": "failed", "exit_code": 1, "ended_at": "2026-11-21T11:00:00+00:00"}},
    {"name": "report", "type": "scheduled", "state": "scheduled", "pid": None, "restarts": 0,
     "next_at": "2026-11-21T12:55:00+00:00", "queued": 0,
     "last": {"state": "succeeded", "exit_code": 0, "ended_at": "2026-11-21T11:55:00+00:00"}},
    {"name": "web", "type": "continuous", "state": "running", "pid": 3121, "restarts": 0,
     "uptime": 7384.2, "next_at": None, "last": None, "queued": 2},
]  # fmt: skip


def test_status_is_a_table_without_empty_columns() -> None:
    assert status.render({"jobs": JOBS}, PLAIN, NOW) == (
        "NAME    STATE       PID  UPTIME/LAST             RESTARTS  NEXT    QUEUED  WHY\n"
        "api     backoff          failed (exit 1) 1h ago         4  in 8s           "
        "the last child ended: exit 1; the next one starts in 8s\n"
        "report  scheduled        succeeded 5m ago                  in 55m\n"
        "web     running    3121  up 2h3m                                        2"
    )


def test_status_fits_the_terminal() -> None:
    lines = status.render({"jobs": JOBS}, narrow(90), NOW).splitlines()

    assert max(map(len, lines)) == 90
    assert lines[1].endswith("…")


def test_status_colours_the_state_alone() -> None:
    lines = status.render({"jobs": JOBS[2:]}, narrow(120, color=True), NOW).splitlines()

    assert lines[1].startswith("web   \x1b[32mrunning\x1b[0m  3121")


def test_verbose_status_has_more_columns() -> None:
    more = {"cpu_time": 61.25, "memory": 3606528}
    job = {**JOBS[2], **more, "last_line": "ok\x1b[2J", "health": "passing"}

    lines = status.render({"jobs": [job]}, PLAIN, NOW).splitlines()

    assert lines[0].split() == [
        "NAME", "STATE", "PID", "UPTIME/LAST", "QUEUED", "CPU", "MEMORY", "HEALTH",
        "LAST", "LINE",
    ]  # fmt: skip
    assert "61.2s   3.44M  passing  ok [2J" in lines[1]


def test_no_jobs_says_what_to_do() -> None:
    assert "clawctl init" in status.render({"jobs": []}, PLAIN, NOW)


@pytest.mark.parametrize(
    ("iso", "text"),
    [
        (None, ""),
        ("2026-11-21T12:00:00.4+00:00", "now"),
        ("2026-11-21T11:59:18+00:00", "42s ago"),
        ("2026-11-21T12:05:00+00:00", "in 5m"),
        ("2026-11-21T14:03:10+00:00", "in 2h3m"),
        ("2026-11-18T08:00:00+00:00", "3d4h ago"),
        ("2026-11-01T08:00:00+00:00", "2026-11-01"),
        ("2026-12-24T08:00:00+00:00", "2026-12-24"),
    ],
)
def test_times_are_relative_within_a_week(iso: str | None, text: str) -> None:
    assert when.relative(iso, NOW) == text


def test_a_time_is_told_twice_where_there_is_room() -> None:
    assert when.both("2026-11-21T11:55:00+00:00", NOW) == "2026-11-21 11:55:00 (5m ago)"


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, ""), (0, "0B"), (1023, "0.999K"), (1024, "1K"), (1536, "1.5K"),
     (52428800, "50M"), (3 << 40, "3T"), (900 << 40, "900T")],
)  # fmt: skip
def test_sizes_are_short(count: int | None, text: str) -> None:
    assert status.size(count) == text


def test_a_table_sets_numbers_to_the_right_and_shrinks_only_what_may() -> None:
    columns = (Column("N", is_right=True), Column("TEXT", shrinks=True), Column("KEEP"))
    rows: list[list[Cell | str]] = [["7", "a long text that gives way", "all of it"],
                                    ["12", Cell("x", RED), "y"]]  # fmt: skip

    assert lay_out(columns, rows, narrow(30)) == (
        " N  TEXT             KEEP\n 7  a long text th…  all of it\n12  x                y"
    )


def test_a_row_never_breaks_its_line() -> None:
    text = lay_out((Column("A"),), [["one\ntwo\r\x1b[31mthree"]], PLAIN)

    assert text == "A\none two  [31mthree"


def test_acted_shows_each_job_and_what_was_refused() -> None:
    results = [
        {"job": "web", "state": "running", "run": RUN, "pid": 12},
        {"job": "api", "state": "fatal", "run": None, "why": "gave up"},
        {"job": "old", "state": "stopped", "run": None, "error": "not paused"},
    ]

    assert acted.render({"results": results}, PLAIN, NOW) == (
        "JOB  STATE    PID  RUN     WHY\n"
        "web  running   12  a097hk\n"
        "api  fatal                 gave up\n"
        "old  stopped               not paused"
    )


def test_events_are_one_line_each() -> None:
    shown = {
        "cursor": 5, "at": "2026-11-21T11:55:00+00:00", "type": "run.failed", "job": "web",
        "run": RUN, "from": "running", "to": "failed", "why": "exit 1", "by": "root",
    }  # fmt: skip
    assert event.render(shown, PLAIN, NOW) == (
        "2026-11-21 11:55:00  run.failed          web               a097hk  "
        "running → failed  exit 1  (by root)"
    )
    assert event.render(
        {"at": "2026-11-21T11:55:00+00:00", "type": "daemon.started"}, PLAIN, NOW
    ) == ("2026-11-21 11:55:00  daemon.started      -                 ------")


def test_runs_are_a_table() -> None:
    shown = [
        {"id": RUN, "job": "report", "state": "failed", "exit_code": 3, "signal": None,
         "ended_at": "2026-11-21T11:55:00+00:00", "duration": 0.25, "attempt": 1,
         "origin": "manual", "reason": None},
        {"id": RUN, "job": "web", "instance": 2, "state": "running", "exit_code": None,
         "signal": 9, "started_at": "2026-11-21T11:59:00+00:00", "duration": None,
         "attempt": 3, "origin": "autostart", "reason": None},
    ]  # fmt: skip

    assert runs.render({"runs": shown}, PLAIN, NOW) == (
        "RUN     JOB     STATE    EXIT  WHEN     TOOK  TRIES  ORIGIN\n"
        "a097hk  report  failed      3  5m ago  0.25s         manual\n"
        "a097hk  web@2   running        1m ago             3  autostart"
    )
    assert runs.render({"runs": []}, PLAIN, NOW) == "no runs"


def test_a_run_is_shown_with_its_attempts() -> None:
    shown = {
        "id": RUN, "job": "report", "state": "failed", "exit_code": 3, "signal": None,
        "queued_at": "2026-11-21T11:50:00+00:00", "started_at": None, "ended_at": None,
        "args": ["-x", "y"], "env": ["A"], "duration": None,
        "attempts": [{"no": 1, "cause": "start", "pid": 7, "exit_code": 3, "signal": None,
                      "started_at": "2026-11-21T11:50:01+00:00", "ended_at": None,
                      "cpu_time": 0.123, "max_memory": 1048576, "error": None}],
    }  # fmt: skip

    assert run.render(shown, PLAIN, NOW) == (
        f"run          {RUN}\n"
        "job          report\n"
        "state        failed\n"
        "exit         3\n"
        "queued       2026-11-21 11:50:00 (10m ago)\n"
        "arguments    -x y\n"
        "environment  A\n"
        "\n"
        "ATTEMPT  CAUSE  PID  EXIT  STARTED                CPU  MEMORY\n"
        "      1  start    7     3  2026-11-21 11:50:01  0.12s      1M"
    )


@pytest.mark.parametrize("how", ["run", "why", "event", "workflow"])
def test_a_reason_steers_no_terminal_and_forges_no_line(how: str) -> None:
    evil = "no\x1b[31m\nrun y: succeeded"
    whole = {"id": "r", "job": "a", "name": "a", "reason": evil}
    shown = {
        "run": lambda: run.render({**whole, "state": "x"}, PLAIN, NOW),
        "why": lambda: explanation.render({"lines": [evil]}, PLAIN, NOW),
        "event": lambda: event.render({"at": None, "type": "x.y", "why": evil}, PLAIN, NOW),
        "workflow": lambda: workflow.progress(
            {**whole, "state": "failed", "left_out": False, "duration": None}
        ),
    }[how]()  # fmt: skip
    assert "\x1b" not in shown
    assert "\nrun y" not in shown


def test_small_replies_are_one_line() -> None:
    assert waited.render(
        {"id": RUN, "job": "a", "state": "failed", "signal": 9}, PLAIN, NOW
    ) == ("run a097hk of a: failed (signal 9)")
    assert waited.render({"job": "a", "state": "running"}, PLAIN, NOW) == "a: running"
    assert canceled.render({"canceled": []}, PLAIN, NOW) == "nothing was running or waiting"
    assert acked.render({"acked": 0}, PLAIN, NOW) == "no alert was open"
    assert acked.render({"acked": 2}, PLAIN, NOW) == "2 alerts noted"
    assert alerts.render({"alerts": []}, PLAIN, NOW) == "no alerts"
    assert found.render({"jobs": []}, PLAIN, NOW).startswith("no job has that")
    assert fires.render({"fires": []}, PLAIN, NOW) == "it never fires by itself"


def test_a_plan_without_a_change_says_so_and_names_the_daemons_keys() -> None:
    nothing: dict[str, Any] = {"add": [], "live": [], "restart": [], "remove": []}

    assert plan.render(nothing, PLAIN, NOW) == "nothing has changed"
    assert plan.render({**nothing, "daemon": ["daemon.umask"]}, PLAIN, NOW) == (
        "~ the daemon: daemon.umask"
    )


def test_fires_show_weekday_and_offset() -> None:
    assert fires.render({"fires": ["2026-11-22T09:00:00+01:00"]}, PLAIN, NOW) == (
        "Sun 2026-11-22 09:00:00 +0100  in 20h"
    )


def test_a_daemon_that_is_gone_tells_what_it_left() -> None:
    gone = {"up": False, "what": "has ended"}

    assert daemon.render({**gone, "supervisors": 0}, PLAIN, NOW) == "the daemon has ended"
    assert daemon.render({**gone, "supervisors": 2}, PLAIN, NOW) == (
        "the daemon has ended; 2 jobs go on without it: `clawctl daemon start` takes over"
    )


def test_a_prefix_is_aligned_and_coloured_by_job() -> None:
    prefixer = Prefixer(["a", "longer"], narrow(80, color=True))

    assert prefixer.lines("a", "out", "x\n") == "\x1b[36ma      | \x1b[0mx\n"
    assert prefixer.lines("longer", "out", "y\n") == "\x1b[33mlonger | \x1b[0my\n"


def test_a_line_in_pieces_is_shown_once_it_ends() -> None:
    prefixer = Prefixer(["a", "b"], PLAIN)

    shown = [
        prefixer.lines("a", "out", "be"),
        prefixer.lines("b", "out", "whole\npart"),
        prefixer.lines("a", "out", "gun\n\nnext"),
        prefixer.lines("a", "err", "other\n"),
        prefixer.rest(),
        prefixer.rest(),
    ]

    assert shown == [
        "", "b | whole\n", "a | begun\na | \n", "a | other\n", "b | part\na | next\n", "",
    ]  # fmt: skip


def test_of_several_columns_that_give_way_the_widest_does_and_of_a_path_its_beginning() -> None:
    columns = (
        Column("JOB"),
        Column("COMMAND", shrinks=True),
        Column("FILE", shrinks=True, keeps_end=True),
    )
    rows = [["a", "./short", f"/a/very/long/folder{'/more' * 20}/claw.toml:12"]]

    said = lay_out(columns, rows, narrow(40))

    assert "./short" in said
    assert said.endswith("/more/claw.toml:12")
    assert max(map(len, said.splitlines())) == 40
