"""Watchdog jobs: what a check's exit and words come to, and what follows."""

import json
from pathlib import Path

import pytest

from claw.config.load import load
from claw.errors import ConfigError
from claw.master.engine import slots
from claw.model.alerts import STUCK, WATCHDOG
from claw.model.effect import Retire
from claw.model.evidence import Evidence, Printed
from claw.model.job import Job, JobType
from claw.model.run import Run, State
from claw.model.watchdog import Watchdog
from tests.kit.desk import Desk, job


def dog(name: str = "a", *, file: str = "/etc/claw/claw.toml", **values: object) -> Job:
    return job(
        name,
        JobType.SCHEDULED,
        schedule=("@hourly",),
        watchdog=Watchdog(**values),  # type: ignore[arg-type]
        file=file,
    )


def look(desk: Desk, code: int, said: str = "") -> Run:
    """Let an hour pass, and the check end."""
    desk.pass_s(3600)
    desk.do(lambda turn: slots.tick(turn, ["a"]))
    [claim] = [one for one in desk.dispatch() if one.run.job == "a"]
    found = desk.launch(claim)
    printed: tuple[Printed, ...] = ()
    if said:
        data = said.encode()
        printed = (Printed(stream="stdout", size=len(data), head=data, tail=data),)
    found.exit(1, code)
    found.add("ended", run=claim.run.id, attempt=1, why="exit", by="")
    desk.read(found, evidences={(claim.run.id, 1): Evidence(printed=printed)})
    return desk.run(claim.run.id)


def kinds(desk: Desk) -> list[str]:
    return [one.kind for one in desk.database.view(lambda tx: tx.standing_alerts("a"))]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ('{"status": "done"}', "done"),
        ('{"status": "error", "rows": 3}\n', "error"),
        ('{"terminal": true}', "terminal"),
        ('{"terminal": true, "status": "stopped"}', "stopped"),
        ('looking\nstill\n{"status": "interrupted"}\n\n', "interrupted"),
        ('{\n "status":\n "ok"\n}\n', "ok"),
    ],
)
def test_what_is_finished_is_said_and_the_job_goes(said: str, status: str) -> None:
    desk = Desk(dog())
    run = look(desk, 0, said)
    assert (run.state, run.note) == (State.SUCCEEDED, f"finished: {status}")
    assert kinds(desk) == [WATCHDOG]
    [event] = [one for one in desk.events(job="a") if one.type == "job.watchdog"]
    assert (event.run, event.why) == (run.id, f"finished: {status}")
    desk.dispatch()
    assert desk.standing("a").stopped_by == "delete_after_run"


@pytest.mark.parametrize(
    "said",
    ["", "fine", '{"status": "running"}', '{"terminal": false}', "[1]", '"done"', '{"status"'],
)
def test_what_goes_on_is_looked_at_again(said: str) -> None:
    desk = Desk(dog())
    for _ in range(2):
        run = look(desk, 0, said)
        assert (run.state, run.note) == (State.SUCCEEDED, None)
    desk.dispatch()
    assert desk.standing("a").stopped_by is None
    assert kinds(desk) == []


def test_one_that_was_made_with_clawctl_is_removed_and_one_that_shall_stay_stays() -> None:
    made = Desk(dog(file="/etc/claw/managed.toml"))
    look(made, 0, '{"status": "done"}')
    made.dispatch()
    assert Retire("a", "delete_after_run") in made.effects
    stays = Desk(dog(self_destruct=False))
    look(stays, 0, '{"status": "done"}')
    stays.dispatch()
    assert stays.standing("a").stopped_by is None
    assert look(stays, 0, '{"status": "done"}').note == "finished: done"


def test_what_is_stuck_is_an_alert_until_it_goes_on_and_begins_a_job_each_time() -> None:
    desk = Desk(dog(on_stuck="mend"), job("mend", max_instances=5))
    first = look(desk, 1)
    assert (first.state, first.reason) == (State.FAILED, "stuck: the check says so")
    assert kinds(desk) == [STUCK]
    second = look(desk, 1)
    assert kinds(desk) == [STUCK]
    mends = desk.runs("mend")
    assert [one.lineage.parent for one in mends] == [second.id, first.id]
    assert {(one.origin, one.asked_by) for one in mends} == {("trigger", "watchdog")}
    look(desk, 2)
    assert kinds(desk) == [STUCK]  # nothing is known by that
    look(desk, 0)
    assert kinds(desk) == []
    assert len(desk.runs("mend")) == 2


def test_one_that_tries_later_says_so_and_nothing_else() -> None:
    desk = Desk(dog(on_stuck="mend"), job("mend"))
    run = look(desk, 2, '{"status": "done"}')
    assert (run.state, run.note) == (State.SUCCEEDED, "try later")
    assert kinds(desk) == []
    assert desk.runs("mend") == ()
    assert "job.watchdog" not in {one.type for one in desk.events(job="a")}


def test_a_check_that_ends_otherwise_has_itself_failed() -> None:
    desk = Desk(dog(on_stuck="mend"), job("mend"))
    run = look(desk, 3, '{"status": "done"}')
    assert (run.state, run.reason) == (State.FAILED, "exit_code")
    assert STUCK not in kinds(desk)
    assert desk.runs("mend") == ()


@pytest.mark.parametrize("code", [0, 2])
def test_what_is_not_finished_in_time_is_stuck(code: int) -> None:
    desk = Desk(dog(timeout_s=2.5 * 3600))
    assert look(desk, code).state is State.SUCCEEDED
    assert look(desk, code).state is State.SUCCEEDED
    late = look(desk, code)
    assert (late.state, late.reason) == (State.FAILED, "stuck: not finished within 2h30m")
    assert look(desk, 0, '{"status": "done"}').note == "finished: done"
    assert kinds(desk) == [WATCHDOG]


def test_on_stuck_that_cannot_begin_is_a_row_that_says_why() -> None:
    desk = Desk(dog(on_stuck="mend"), job("mend", enabled=False))
    look(desk, 1)
    [run] = desk.runs("mend")
    assert run.state is State.SKIPPED
    assert "disabled" in (run.reason or "")


CHECKED = """
[jobs.a]
{more}
[jobs.a.watchdog]
{keys}
[jobs.b]
command = "x"
[jobs.web]
command = "x"
type = "continuous"
"""


def read(folder: Path, keys: str, more: str = 'schedule = "@every 5m"') -> Job:
    path = folder / "claw.toml"
    path.write_text(CHECKED.format(keys=keys, more=more))
    found = load(str(path)).job("a")
    assert found is not None
    return found


def test_the_check_is_what_a_watchdog_runs(tmp_path: Path) -> None:
    keys = 'check = "look --here"\ntimeout = "2h"\non_stuck = "b"\nself_destruct = false'
    made = read(tmp_path, keys)
    assert made.argv == ("look", "--here")
    assert made.watchdog == Watchdog(timeout_s=7200, on_stuck="b", self_destruct=False)
    assert made.timeout_s == 60
    other = read(tmp_path, 'check = "a | b"', 'schedule = "@daily"\ntimeout = "5m"')
    assert (other.uses_shell, other.timeout_s) == (True, 300)


@pytest.mark.parametrize(
    ("keys", "more", "told"),
    [
        ('timeout = "1h"', 'schedule = "@daily"', "nothing to look with"),
        ('check = "x"', "", "add a schedule"),
        ('check = "x"', 'schedule = "@daily"\ncommand = "y"', "watchdog.check is what runs"),
        ('check = "x"', 'schedule = "@daily"\nsuccess_codes = [1]', "means what it means"),
        ('check = "x"\non_stuck = "c"', 'schedule = "@daily"', "there is no job 'c'"),
        ('check = "x"\non_stuck = "a"', 'schedule = "@daily"', "by itself"),
        ('check = "x"\non_stuck = "web"', 'schedule = "@daily"', "is continuous"),
        ('check = "x"\non_stick = "b"', 'schedule = "@daily"', "unknown key"),
    ],
)
def test_a_watchdog_that_could_not_watch_is_refused(
    tmp_path: Path, keys: str, more: str, told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, keys, more)
    said = json.dumps([str(one) for one in caught.value.diagnostics]) + str(caught.value)
    assert told in said, said
