"""What people are shown: every state with its reason."""

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from claw.commands import schema, shapes
from claw.master.control.targets import Aim
from claw.master.engine import intents, journal, slots
from claw.master.views import jobrows, runview, searchview, statusview, whyview
from claw.master.views.statusview import Json, Live
from claw.model.job import CatchUp, Config, Daemon, JobType, Overlap, Restart, RestartPolicy
from claw.model.workflow import Step, Workflow
from tests.kit.desk import T0, Desk, Journal, job, service
from tests.kit.flows import flow

HOUR = timedelta(hours=1)


def _live(desk: Desk, flags: Collection[str] = ()) -> Live:
    found = desk.database.view(lambda tx: slots.next_slots(tx, desk.config, desk.now))
    return Live(
        now=desk.now, next_at=lambda each: found.get(each.name), flags=lambda _sid: flags
    )


def _show(desk: Desk, name: str, flags: Collection[str] = ()) -> Json:
    definition = desk.config.job(name)
    assert definition is not None
    live = _live(desk, flags)
    few = desk.database.view(lambda tx: jobrows.look(tx, [name]))
    every = desk.database.view(jobrows.look)
    shown = statusview.job_object(definition, few, live)
    assert shown == statusview.job_object(definition, every, live)
    schema.check(json.loads(json.dumps(shown)), shapes.JOB, "job")
    assert shown["state"] in shapes.JOB_STATES
    return shown


def _why(desk: Desk, name: str) -> str:
    aim, live = Aim(name), _live(desk)
    return "\n".join(
        desk.database.view(lambda tx: whyview.explain_job(tx, desk.config, aim, live))
    )


def _state(desk: Desk, name: str) -> tuple[object, str]:
    shown = _show(desk, name)
    return shown["state"], str(shown["why"] or "")


def _up(desk: Desk, name: str) -> Journal:
    desk.do(lambda turn: intents.start_job(turn, name, by="me", key=f"k{name}"))
    (claim,) = desk.dispatch()
    return desk.launch(claim)


def _cancel(desk: Desk, run_id: str) -> None:
    desk.do(lambda turn: intents.cancel_run(turn, run_id, by="me"))


def test_a_service_from_nothing_to_running() -> None:
    desk = Desk(service("web", title="Web", description="the site", tags=("a",)))
    state, why = _state(desk, "web")
    assert (state, "clawctl start web" in why) == ("stopped", True)
    desk.do(lambda turn: intents.start_job(turn, "web", by="me", key="k"))
    assert _state(desk, "web") == ("waiting", "waits to be claimed")
    (claim,) = desk.dispatch()
    assert _state(desk, "web") == ("starting", "")
    desk.launch(claim)
    desk.pass_s(9)
    shown = _show(desk, "web")
    assert {key: shown[key] for key in ("state", "pid", "uptime", "restarts", "ready")} == {
        "state": "running", "pid": 801, "uptime": 9.0, "restarts": 0, "ready": True,
    }  # fmt: skip
    assert (shown["run"], shown["title"], shown["tags"]) == (claim.run.id, "Web", ["a"])
    assert shown["started_at"] == "2026-03-02T12:00:00+00:00"


def test_backoff_says_how_the_last_child_ended_and_how_long_it_waits() -> None:
    desk = Desk(service("web"))
    found = _up(desk, "web")
    found.exit(1, 3)
    until = (desk.now + timedelta(seconds=4)).timestamp()
    found.add("restarting", run="", attempt=2, delay_s=4, until=until, restarts=1)
    desk.read(found)
    assert _state(desk, "web") == (
        "backoff",
        "the last child ended: exit 3; the next one starts in 4s",
    )
    shown = _show(desk, "web")
    assert (shown["pid"], shown["uptime"], shown["restarts"]) == (None, None, 1)
    assert shown["next_at"] == "2026-03-02T12:00:04+00:00"
    desk.pass_s(5)
    assert "starts now" in _state(desk, "web")[1]
    assert "exit 3" in _why(desk, "web")


def test_stopping_and_stopped_say_who() -> None:
    desk = Desk(service("web"))
    found = _up(desk, "web")
    desk.do(lambda turn: intents.stop_job(turn, "web", by="eve"))
    assert _state(desk, "web") == ("stopping", "stop, asked for by eve")
    desk.end(found, None, signal=15, why="stop")
    assert _state(desk, "web") == ("stopped", "stopped by eve: clawctl start web")


def test_a_timeout_is_seen_while_it_is_enforced() -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    found.add("stopping", run="", attempt=1, why="timeout", by="", text="longer than 5 s")
    desk.read(found)
    assert _state(desk, "a") == ("stopping", "claw ends it: timeout: longer than 5 s")


def test_a_silent_supervisor_is_flagged() -> None:
    desk = Desk(service("web"))
    _up(desk, "web")
    assert _show(desk, "web", {"unresponsive"})["state"] == "unresponsive"


def test_fatal_exited_failed_and_crashed_services_say_what_to_type() -> None:
    never = Restart(policy=RestartPolicy.ON_FAILURE, start_limit=3)
    desk = Desk(*(service(name, restart=never) for name in ("fatal", "done", "gone", "lost")))
    desk.end(_up(desk, "fatal"), 1, why="start_limit")
    desk.end(_up(desk, "done"), 0)
    gone = _up(desk, "gone")
    gone.add("spawn_failed", run="", attempt=1, stage="exec", error="No such file: 'x'")
    gone.add("ended", run="", attempt=1, why="spawn", by="")
    desk.read(gone)
    lost = _up(desk, "lost")
    assert _state(desk, "fatal")[0] == "fatal"
    assert "3 times within 1m" in _state(desk, "fatal")[1]
    state, why = _state(desk, "done")
    assert (state, "restart.policy = on-failure" in why) == ("exited", True)
    state, why = _state(desk, "gone")
    assert (state, "clawctl logs gone" in why) == ("failed", True)
    desk.do(lambda turn: journal.lost(turn, lost.sid, "killed"))
    state, why = _state(desk, "lost")
    assert (state, "crashed, lost" in why) == ("backoff", True)
    _cancel(desk, desk.runs("lost")[0].id)
    assert _state(desk, "lost")[0] == "failed"


def test_a_service_whose_run_was_canceled_is_stopped() -> None:
    desk = Desk(service("web"))
    found = _up(desk, "web")
    run = desk.run_of(found)
    desk.do(lambda turn: intents.cancel_run(turn, run.id, by="eve"))
    desk.end(found, None, signal=15, why="cancel")
    assert _state(desk, "web") == ("stopped", "cancel, asked for by eve")


def test_manual_jobs() -> None:
    desk = Desk(job("a"), job("b"))
    state, why = _state(desk, "a")
    assert (state, "clawctl run a" in why) == ("stopped", True)
    desk.end(desk.begin("a"), 0)
    assert _state(desk, "a") == ("exited", "its last run: succeeded, exit 0")
    run = desk.end(desk.begin("a"), 3)
    assert _state(desk, "a") == ("failed", f"run {run.id[-6:]}: failed, exit 3: clawctl logs a")
    last = _show(desk, "a")["last"]
    assert isinstance(last, dict)
    assert (last["run"], last["exit_code"], last["state"]) == (run.id, 3, "failed")
    later = desk.ask("b", due_at=T0 + HOUR)
    shown = _show(desk, "b")
    assert (shown["state"], shown["next_at"], shown["queued"]) == (
        "scheduled",
        later.due_at.isoformat(),
        1,
    )


def test_scheduled_jobs() -> None:
    hourly = job("h", JobType.SCHEDULED, schedule=("0 * * * *",), on_overlap=Overlap.SKIP)
    off = job("off", JobType.SCHEDULED, schedule=("0 * * * *",), enabled=False)
    desk = Desk(hourly, off)
    shown = _show(desk, "h")
    assert (shown["state"], shown["next_at"]) == ("scheduled", "2026-03-02T13:00:00+00:00")
    assert _show(desk, "off")["state"] == "disabled"
    assert _show(desk, "off")["next_at"] is None
    desk.do(lambda turn: intents.pause_job(turn, "h", by="bob"))
    assert _state(desk, "h") == ("paused", "paused by bob: clawctl resume h")


def test_oneshots() -> None:
    desk = Desk(job("once", JobType.ONESHOT, run_at=T0 + HOUR))
    assert _show(desk, "once")["state"] == "planned"
    desk.now = T0 + HOUR
    desk.do(lambda turn: slots.tick(turn, ["once"]))
    (claim,) = desk.dispatch()
    desk.end(desk.launch(claim), 2)
    assert _show(desk, "once")["state"] == "failed"
    desk.end(desk.begin("once"))
    assert _show(desk, "once")["state"] == "done"
    late = Desk(job("once", JobType.ONESHOT, run_at=T0 - HOUR))
    assert "its time has passed" in _state(late, "once")[1]


def test_a_waiting_run_names_its_gate() -> None:
    desk = Desk(job("a"), job("b"), daemon=Daemon(max_parallel=1))
    desk.begin("a")
    desk.ask("b")
    desk.dispatch()
    state, why = _state(desk, "b")
    assert (state, why.startswith("max_parallel: 1 runs")) == ("waiting", True)
    assert "max_parallel" in _why(desk, "b")


def test_a_running_job_that_is_paused_runs_and_says_so() -> None:
    desk = Desk(service("web"))
    _up(desk, "web")
    desk.do(lambda turn: intents.pause_job(turn, "web", by="bob"))
    assert _state(desk, "web") == ("running", "paused by bob: clawctl resume web")
    assert "nothing new of it begins: paused by bob" in _why(desk, "web")


def test_of_two_active_runs_the_one_that_stays_is_shown() -> None:
    desk = Desk(job("a", max_instances=2))
    first, second = desk.begin("a"), desk.begin("a")
    assert _show(desk, "a")["run"] == desk.run_of(second).id
    _cancel(desk, desk.run_of(second).id)
    assert _show(desk, "a")["run"] == desk.run_of(first).id


def test_a_run_is_shown_whole() -> None:
    desk = Desk(job("a"))
    found = desk.begin("a", env=(("TOKEN", "hidden"),), args=("-v",))
    desk.pass_s(2.5)
    run = desk.run_of(found)
    live = desk.database.view(lambda tx: runview.show(tx, run))
    assert (live["supervisor_pid"], live["duration"], live["phase"]) == (700, None, "up")
    run = desk.end(found, 0)
    shown = desk.database.view(lambda tx: runview.show(tx, run))
    schema.check(json.loads(json.dumps(shown)), shapes.RUN, "run")
    assert (shown["state"], shown["duration"], shown["supervisor_pid"]) == (
        "succeeded",
        2.5,
        None,
    )
    assert (shown["env"], shown["args"], shown["executor"]) == (["TOKEN"], ["-v"], "local")
    attempts = shown["attempts"]
    assert isinstance(attempts, list)
    assert [(one["no"], one["exit_code"], one["max_memory"]) for one in attempts] == [
        (1, 0, 4096)
    ]
    listed = desk.database.view(lambda tx: runview.page(tx, tx.runs_page()))
    assert [one["id"] for one in listed] == [run.id]


def test_why_tells_the_story_of_a_run() -> None:
    desk = Desk(job("a"))

    def told(run_id: str) -> str:
        run = desk.run(run_id)
        live = _live(desk)
        return "\n".join(
            desk.database.view(lambda tx: whyview.explain_run(tx, desk.config, run, live))
        )

    later = desk.ask("a", due_at=T0 + HOUR)
    assert f"clawctl cancel {later.id[-6:]}" in told(later.id)
    found = desk.begin("a")
    run = desk.run_of(found)
    assert "has pid 801" in told(run.id)
    desk.do(lambda turn: intents.cancel_run(turn, run.id, by="eve"))
    assert "is to end: cancel, asked for by eve" in told(run.id)
    desk.end(found, None, signal=15, why="cancel")
    assert "canceled, signal 15, asked for by eve" in told(run.id)
    failed = desk.end(desk.begin("a"), 4)
    assert f"clawctl logs {failed.id[-6:]}" in told(failed.id)
    assert "clawctl run a" in told(failed.id)
    assert "attempt 1 (start): ended" in told(failed.id)


def _clock(at: datetime) -> str:
    """Return a time as people are told it: on the daemon's clock."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def test_why_of_a_schedule_names_the_next_and_the_last_missed_slot() -> None:
    desk = Desk(job("h", JobType.SCHEDULED, schedule=("0 * * * *",), catch_up=CatchUp.NONE))
    desk.now = T0 + 3 * HOUR + timedelta(minutes=1)
    desk.do(lambda turn: slots.tick(turn, ["h"]))
    told = _why(desk, "h")
    assert f"next slot {_clock(T0 + 4 * HOUR)}" in told
    assert f"last missed slot {_clock(T0 + HOUR)} and 2 more: claw could not act" in told
    run = desk.runs("h")[0]
    live = _live(desk)
    lines = desk.database.view(lambda tx: whyview.explain_run(tx, Config(), run, live))
    assert any(f"to {_clock(T0 + 3 * HOUR)}, 3 slots" in line for line in lines)


def test_why_at_a_time_tells_what_was_known_then() -> None:
    desk = Desk(job("a"))
    desk.end(desk.begin("a"), 1)
    then = desk.now
    desk.pass_s(3600)
    desk.end(desk.begin("a"), 0)
    lines = desk.database.view(
        lambda tx: whyview.explain_then(tx, desk.config, "a", then, desk.now)
    )
    assert "run.failed" in lines[-1]
    nothing = desk.database.view(
        lambda tx: whyview.explain_then(tx, desk.config, "a", T0 - HOUR, desk.now)
    )
    assert "nothing is known of a" in nothing[0]


@pytest.mark.parametrize("text", ["WEB", "the si", "uvicorn", "prod", "Title"])
def test_search_looks_everywhere(text: str) -> None:
    web = service(
        "web", title="Title", description="the site", command="uvicorn app", tags=("prod",)
    )
    found = searchview.search([job("other"), web], text)
    assert [one["name"] for one in found] == ["web"]


def test_a_step_that_is_to_come_says_after_what() -> None:
    own = replace(job("all.b"), step_of="all")
    then = Step(name="b", job="all.b", needs=("a",))
    whole = flow("all", Workflow(steps=(Step(name="a", job="a"), then)))
    desk = Desk(job("a"), own, whole)
    assert "it runs with workflow all: clawctl run all" in _why(desk, "all.b")
    desk.ask("all")
    desk.dispatch()
    assert "which is under way, after a: clawctl workflow show" in _why(desk, "all.b")
