"""What each command asks the master for, what it shows, and its exit status."""

import json
from pathlib import Path
from typing import Any

import pytest

from claw import errors
from claw.wire import control
from claw.wire.control import Request
from tests.kit.control_server import Session
from tests.unit.cli.conftest import Serve, Typed

RUN = "r06gvs41ntpo3v0q0rqm0a097hk"


def job(name: str = "web", state: str = "running", **more: object) -> dict[str, Any]:
    return {"name": name, "type": "continuous", "state": state, **more}


def ended(state: str, **more: object) -> dict[str, Any]:
    return {"id": RUN, "job": "report", "state": state, "queued_at": "2026-11-21T09:00:00Z",
            **more}  # fmt: skip


@pytest.mark.parametrize(
    ("jobs", "status"),
    [
        ([job()], 0),
        ([job(state="starting")], 0),
        ([job(state="unhealthy")], 0),
        ([job(state="paused", pid=7)], 0),
        ([job(state="paused", pid=None)], 3),
        ([job(state="backoff")], 3),
        ([job(), job("api", "fatal")], 3),
        ([job(type="scheduled", state="scheduled", last=None)], 0),
        ([job(type="scheduled", state="scheduled", last={"state": "succeeded"})], 0),
        ([job(type="scheduled", state="scheduled", last={"state": "timed_out"})], 3),
        ([job(type="manual", state="failed", last={"state": "failed"})], 3),
        ([job(type="manual", state="stopped", last={"state": "canceled"})], 0),
        ([job(type="manual", state="running", last={"state": "failed"})], 0),
    ],
)
def test_status_of_a_target_tells_whether_it_is_well(
    clawctl: Typed, serve: Serve, jobs: list[dict[str, Any]], status: int
) -> None:
    serve(job__status={"jobs": jobs})

    assert clawctl("status", "all")[0] == status
    assert clawctl("status")[0] == 0
    assert clawctl("status", "--type", "continuous")[0] == 0


@pytest.mark.parametrize("words", [("status",), ("list",), ("ls",), ("status", "-v")])
def test_status_has_aliases_and_warns(
    clawctl: Typed, serve: Serve, words: tuple[str, ...]
) -> None:
    serve(job__status={"jobs": [job(pid=42)], "warnings": ["the files have changed"]})

    status, out, err = clawctl(*words)

    assert status == 0
    assert out.splitlines()[1].split() == ["web", "running", "42"]
    assert err == "clawctl: warning: the files have changed\n"


def test_status_passes_its_filters_on(clawctl: Typed, serve: Serve) -> None:
    server = serve(job__status={"jobs": []})

    clawctl("status", "a", "b", "-v", "--tag", "t", "--type", "manual", "--state", "failed",
            "-q", "text")  # fmt: skip

    assert server.requests[0].params == {
        "targets": ["a", "b"], "verbose": True, "tag": "t", "type": "manual",
        "state": "failed", "text": "text",
    }  # fmt: skip


@pytest.mark.parametrize("words", [("status", "--json"), ("--json", "status")])
def test_json_is_what_the_master_said(
    clawctl: Typed, serve: Serve, words: tuple[str, ...]
) -> None:
    reply = {"jobs": [job("größe")], "warnings": []}
    serve(job__status=reply)

    status, out, err = clawctl(*words)

    assert (status, err) == (0, "")
    assert json.loads(out) == reply


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.RequestError("no"), 1),
        (errors.UsageError("no"), 2),
        (errors.ConfigError("no", diagnostics=("a.toml:1: x", "a.toml:2: y")), 2),
        (errors.NotFoundError("no"), 4),
        (errors.DeniedError("no"), 5),
        (errors.TimedOutError("no"), 6),
        (errors.InternalError("no"), 70),
    ],
)
def test_each_error_has_its_exit_status(
    clawctl: Typed, serve: Serve, error: errors.ClawError, status: int
) -> None:
    serve(config__reload=error)

    got, out, err = clawctl("reload")

    assert (got, out) == (status, "")
    *diagnostics, last = err.splitlines()
    assert last == "clawctl: no"
    assert tuple(diagnostics) == getattr(error, "diagnostics", ())


def test_no_daemon_is_exit_7_with_what_to_do(clawctl: Typed) -> None:
    status, out, err = clawctl("status")

    assert (status, out) == (7, "")
    assert "the daemon is not running" in err
    assert "clawctl daemon start" in err


def test_an_error_that_nobody_foresaw_is_exit_70_in_one_line(
    clawctl: Typed, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(job__search={"unexpected": []})

    status, out, err = clawctl("search", "x")
    monkeypatch.setenv("CLAW_DEBUG", "1")
    traced = clawctl("search", "x")[2]

    assert (status, out) == (70, "")
    assert err.count("\n") == 1
    assert "KeyError" in err
    assert "CLAW_DEBUG=1" in err
    assert "Traceback" in traced


def test_a_file_that_cannot_be_written_is_no_mistake_of_claw(
    clawctl: Typed, serve: Serve
) -> None:
    serve(event__list={"events": [event(1)], "next": None})

    status, _out, err = clawctl("events", "--cursor-file", "/nowhere/at/all")

    assert status == 1
    assert "No such file or directory" in err


# -- jobs ------------------------------------------------------------------------------


class Moving:
    """A master whose jobs take on one state after the other."""

    def __init__(self, method: str, *states: str, kind: str = "continuous") -> None:
        self._method = method
        self._states = list(states)
        self._kind = kind

    def __call__(self, request: Request, session: Session) -> None:
        if request.method == "job.status":
            state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
            run = RUN if state in ("running", "stopping", "starting") else None
            shown = job(state=state, type=self._kind, run=run, why=f"as {state}", pid=None)
            session.reply(request, {"jobs": [shown]})
            session.send(control.encode_notification("event", {"cursor": 1}))
        elif request.method == "event.subscribe":
            session.reply(request, {"subscription": 1, "cursor": 0})
        else:
            assert request.method == self._method
            results = [{"job": "web", "state": self._states[0], "run": RUN}]
            session.reply(request, {"results": results, "warnings": []})


@pytest.mark.parametrize("verb", ["start", "restart"])
@pytest.mark.parametrize(
    ("states", "status"),
    [
        (("running",), 0),
        (("starting", "starting", "running"), 0),
        (("waiting", "starting", "running"), 0),
        (("stopping", "starting", "running"), 0),
        (("starting", "backoff"), 1),
        (("starting", "fatal"), 1),
        (("starting", "failed"), 1),
    ],
)
def test_a_service_that_is_to_run_is_waited_for(
    clawctl: Typed, serve: Serve, verb: str, states: tuple[str, ...], status: int
) -> None:
    serve(Moving(f"job.{verb}", *states))

    got, out, _err = clawctl(verb, "web")

    assert got == status
    assert states[-1] in out


def test_a_job_that_waits_for_its_time_is_not_waited_for(clawctl: Typed, serve: Serve) -> None:
    serve(Moving("job.start", "waiting", kind="scheduled"))

    assert clawctl("start", "web")[0] == 0


def test_stop_waits_until_no_run_is_left(clawctl: Typed, serve: Serve) -> None:
    serve(Moving("job.stop", "stopping", "stopping", "stopped"))

    status, out, _err = clawctl("stop", "web", "--json")

    assert status == 0
    assert json.loads(out)["results"][0]["state"] == "stopped"


def test_a_wait_that_takes_too_long_is_exit_6(clawctl: Typed, serve: Serve) -> None:
    serve(Moving("job.stop", "stopping"))

    status, _out, err = clawctl("stop", "web", "--timeout", "0.05")

    assert status == 6
    assert "web (stopping)" in err


def test_no_wait_shows_what_was_answered(clawctl: Typed, serve: Serve) -> None:
    results = {"results": [{"job": "web", "state": "stopping", "run": RUN}]}
    server = serve(job__restart=results)

    status, out, _err = clawctl("restart", "web", "--no-wait", "--force")

    assert status == 0
    assert out.splitlines()[1].split() == ["web", "stopping", RUN[-6:]]
    params = server.requests[0].params
    assert len(params.pop("request_id")) == 32
    assert params == {"targets": ["web"], "force": True}


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_pause_and_resume_ask_and_show(clawctl: Typed, serve: Serve, verb: str) -> None:
    results = {"results": [{"job": "web", "state": "paused", "run": None}]}
    serve(**{f"job__{verb}": results})

    assert clawctl(verb, "web")[:2] == (0, "JOB  STATE\nweb  paused\n")


def test_a_signal_goes_by_its_name(clawctl: Typed, serve: Serve) -> None:
    server = serve(job__signal={"results": []})

    assert clawctl("signal", "sighup", "web", "api")[0] == 0
    assert server.requests[0].params["signal"] == "HUP"
    assert server.requests[0].params["targets"] == ["web", "api"]


def test_search_and_why_show_what_was_found(clawctl: Typed, serve: Serve) -> None:
    serve(
        job__search={"jobs": [{"name": "web", "command": "serve", "tags": ["a", "b"]}]},
        job__why={"lines": ["web is waiting: too many", "clawctl stop api"]},
    )

    assert clawctl("search", "se")[1] == "NAME  COMMAND  TAGS\nweb   serve    a, b\n"
    assert clawctl("why", "web")[1] == "web is waiting: too many\nclawctl stop api\n"
    assert clawctl("why", "web", "--at", "yesterday 02:30")[0] == 0


def test_job_next_shows_what_will_come_of_each_time(clawctl: Typed, serve: Serve) -> None:
    at = "2026-11-22T09:00:00+00:00"
    fire = {"slot_at": at, "begins_at": None, "run": None, "why": "paused by eve"}
    server = serve(
        job__next={
            "jobs": [
                {"job": "web", "fires": [fire]},
                {"job": "boot", "schedule": ["@reboot"], "fires": []},
            ]
        }
    )

    status, out, _err = clawctl("job", "next", "web", "boot", "-n", "3")

    assert status == 0
    assert server.requests[0].params == {"targets": ["web", "boot"], "count": 3}
    web, boot = out.splitlines()[1:]
    assert web.split()[-4:] == ["skipped", "paused", "by", "eve"]
    assert "when the host boots" in boot


# -- runs ------------------------------------------------------------------------------


def test_run_prints_the_id_alone(clawctl: Typed, serve: Serve) -> None:
    server = serve(run__submit={"run": RUN, "job": "report"})

    words = ("run", "report", "--env", "A=1", "--env", "B=", "--arg", "x", "--in", "10m")
    status, out, err = clawctl(*words)

    assert (status, out, err) == (0, f"{RUN}\n", "")
    params = server.requests[0].params
    del params["request_id"]
    assert params == {
        "job": "report", "env": {"A": "1", "B": ""}, "args": ["x"], "delay_s": 600.0,
    }  # fmt: skip


def test_run_at_a_time_sends_it_with_its_offset(clawctl: Typed, serve: Serve) -> None:
    server = serve(run__submit={"run": RUN, "job": "report"})

    clawctl("run", "report", "--at", "2030-01-01T09:00+02:00", "--force")

    assert server.requests[0].params["at"] == "2030-01-01T07:00:00+00:00"
    assert server.requests[0].params["force"] is True


@pytest.mark.parametrize(
    ("run", "status"),
    [
        (ended("succeeded", exit_code=0), 0),
        (ended("succeeded", exit_code=3), 3),
        (ended("succeeded"), 0),
        (ended("failed", exit_code=17), 17),
        (ended("failed", signal=9), 137),
        (ended("timed_out", signal=15), 124),
        (ended("timed_out", exit_code=0), 124),
        (ended("canceled", signal=15), 143),
        (ended("canceled"), 125),
        (ended("failed", reason="spawn_failed"), 125),
        (ended("crashed"), 125),
        (ended("skipped"), 125),
    ],
)
def test_waiting_for_a_run_gives_the_childs_own_status(
    clawctl: Typed, serve: Serve, run: dict[str, Any], status: int
) -> None:
    serve(run__submit={"run": RUN, "job": "report"}, run__wait=run)

    assert clawctl("run", "report", "--wait")[:2] == (status, f"{RUN}\n")
    assert clawctl("wait", RUN)[0] == status
    as_json = clawctl("run", "report", "--wait", "--json")
    assert as_json[0] == status
    assert json.loads(as_json[1])["state"] == run["state"]


def test_waiting_for_a_job_gives_0_when_it_is_so_far(clawctl: Typed, serve: Serve) -> None:
    server = serve(run__wait={"job": "web", "state": "running"})

    status, out, _err = clawctl("wait", "web", "--for", "running", "--timeout", "30s")

    assert (status, out) == (0, "web: running\n")
    params = server.requests[0].params
    assert params["for"] == "running"
    assert 0 < params["timeout_s"] <= 30


def test_follow_shows_the_output_until_the_run_is_over(clawctl: Typed, serve: Serve) -> None:
    def answer(request: Request, session: Session) -> None:
        if request.method == "log.follow":
            session.reply(request, {"subscription": 1})
            for stream, text in (("stdout", "one\n"), ("stderr", "oops\n"), ("stdout", "2\n")):
                log = {"job": "report", "stream": stream, "text": text, "cursor": "c"}
                session.send(control.encode_notification("log", log))
            session.send(control.encode_notification("end", {"reason": "failed"}))
        elif request.method == "run.wait":
            session.reply(request, ended("failed", exit_code=2))
        else:
            session.reply(request, {"run": RUN, "job": "report"})

    serve(answer)

    status, out, err = clawctl("run", "report", "--follow")

    assert (status, out) == (2, "one\n2\n")
    assert err == f"run {RUN}\noops\n"


def test_wait_follow_of_a_job_ends_when_the_job_is_so_far_or_time_is_up(
    clawctl: Typed, serve: Serve
) -> None:
    def answer(request: Request, session: Session) -> None:
        if request.method == "log.follow":
            session.reply(request, {"subscription": 1})
            log = {"job": "web", "stream": "stdout", "text": "up\n", "cursor": "c"}
            session.send(control.encode_notification("log", log))
        elif "timeout_s" in request.params:
            session.send(control.encode_error(request.id, errors.TimedOutError("too late")))
        else:
            session.reply(request, {"job": "web", "state": "running"})

    serve(answer)

    assert clawctl("wait", "web", "--for", "running", "--follow")[:2] == (
        0,
        "up\nweb: running\n",
    )
    assert clawctl("wait", "web", "--follow", "--timeout", "1s")[:2] == (6, "up\n")


def test_cancel_prints_what_it_ended(clawctl: Typed, serve: Serve) -> None:
    serve(run__cancel={"canceled": [RUN]})
    assert clawctl("cancel", "report")[:2] == (0, f"{RUN}\n")


def test_cancel_of_nothing_says_so(clawctl: Typed, serve: Serve) -> None:
    serve(run__cancel={"canceled": []})
    assert clawctl("cancel", "report")[:2] == (0, "nothing was running or waiting\n")


def test_runs_list_turns_the_pages(clawctl: Typed, serve: Serve) -> None:
    pages = [
        {"runs": [ended("failed", exit_code=1)] * 3, "next": RUN},
        {"runs": [ended("succeeded")] * 2, "next": None},
    ]
    server = serve(run__list=lambda _params: pages.pop(0))

    status, out, _err = clawctl("runs", "list", "--job", "report", "-n", "7", "--json")

    assert status == 0
    assert len(json.loads(out)["runs"]) == 5
    first, second = (request.params for request in server.requests)
    assert first == {"job": "report", "limit": 7}
    assert second == {"job": "report", "limit": 4, "before": RUN}


def test_runs_show_shows_a_run(clawctl: Typed, serve: Serve) -> None:
    server = serve(run__show=ended("succeeded", exit_code=0))

    assert "succeeded" in clawctl("runs", "show", "a097hk")[1]
    assert server.requests[0].params == {"run": "a097hk"}


# -- output and events -----------------------------------------------------------------


def test_logs_of_one_target_are_its_text_alone(clawctl: Typed, serve: Serve) -> None:
    server = serve(log__read={"text": "one\ntwo", "source": "file", "path": "/x"})

    status, out, _err = clawctl("logs", "web", "-n", "2", "--stderr")

    assert (status, out) == (0, "one\ntwo")
    assert server.requests[0].params == {"target": "web", "lines": 2, "stream": "stderr"}


def test_logs_of_several_jobs_have_their_names_before_each_line(
    clawctl: Typed, serve: Serve
) -> None:
    serve(
        job__status={"jobs": [job("web"), job("api")]},
        log__read=lambda params: {"text": f"from {params['target']}\nrest"},
    )

    expected = "web | from web\nweb | rest\napi | from api\napi | rest\n"
    assert clawctl("logs")[1] == expected
    assert clawctl("logs", "*")[1] == expected
    assert [one["target"] for one in json.loads(clawctl("logs", "--json")[1])["logs"]] == [
        "web", "api",
    ]  # fmt: skip


def test_logs_without_any_job_is_not_found(clawctl: Typed, serve: Serve) -> None:
    serve(job__status={"jobs": []})

    assert clawctl("logs")[0] == 4


def test_logs_follow_shows_whole_lines_of_each_job(clawctl: Typed, serve: Serve) -> None:
    def answer(request: Request, session: Session) -> None:
        session.reply(request, {"subscription": 1})
        for name, text in (("web", "be"), ("api", "x\n"), ("web", "gun\n")):
            log = {"job": name, "stream": "stdout", "text": text, "cursor": "c"}
            session.send(control.encode_notification("log", log))
        session.send(control.encode_notification("end", {"reason": "gone"}))

    server = serve(answer)

    assert clawctl("logs", "-f")[1] == "api | x\nweb | begun\n"
    assert server.requests[0].params == {"targets": ["all"], "lines": 10, "stream": "both"}
    assert clawctl("logs", "web", "-f", "-n", "3")[1] == "bex\ngun\n"
    assert json.loads(clawctl("logs", "-f", "--json")[1].splitlines()[0])["text"] == "be"


def event(cursor: int) -> dict[str, Any]:
    return {
        "cursor": cursor, "at": "2026-11-21T09:00:00+00:00", "type": "run.failed",
        "job": "web", "run": RUN, "from": "running", "to": "failed", "why": "exit 1",
        "by": None,
    }  # fmt: skip


def test_events_are_listed_over_all_pages(clawctl: Typed, serve: Serve) -> None:
    pages = {None: ([1, 2], 2), 2: ([3], None)}

    def answer(params: dict[str, Any]) -> dict[str, Any]:
        cursors, more = pages[params.get("from")]
        return {"events": [event(cursor) for cursor in cursors], "next": more}

    server = serve(event__list=answer)

    status, out, _err = clawctl("events", "--json", "--type", "run.*", "--job", "web")

    assert status == 0
    assert [json.loads(line) for line in out.splitlines()] == [event(1), event(2), event(3)]
    assert server.requests[0].params["filter"] == {"job": "web", "type": "run.*"}


def test_events_go_on_where_the_cursor_file_says(
    clawctl: Typed, serve: Serve, tmp_path: Path
) -> None:
    def answer(params: dict[str, Any]) -> dict[str, Any]:
        after = params.get("from") or 0
        return {"events": [event(n) for n in range(after + 1, 4)], "next": None}

    serve(event__list=answer)
    file = tmp_path / "seen"

    first = clawctl("events", "--cursor-file", str(file), "--json")[1]
    second = clawctl("events", "--cursor-file", str(file), "--json")[1]

    assert len(first.splitlines()) == 3
    assert second == ""
    assert file.read_text() == "3\n"
    assert list(tmp_path.glob(".seen*")) == []


def test_a_cursor_file_that_holds_something_else_is_refused(
    clawctl: Typed, tmp_path: Path
) -> None:
    file = tmp_path / "notes"
    file.write_text("buy milk\n")

    status, _out, err = clawctl("events", "--cursor-file", str(file))

    assert status == 2
    assert "holds no cursor" in err
    assert file.read_text() == "buy milk\n"


# -- the rest --------------------------------------------------------------------------

PLAN = {
    "changed": True, "add": ["new"], "live": [{"job": "web", "fields": ["tags", "env"]}],
    "restart": [{"job": "api", "why": "command changed"}], "remove": ["old"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "params"),
    [
        (("plan",), {"dry_run": True}),
        (("reload", "--dry-run"), {"dry_run": True}),
        (("reload",), {}),
        (("reload", "--no-restart"), {"restart": False}),
        (("plan", "--no-restart"), {"dry_run": True, "restart": False}),
    ],
)
def test_plan_and_reload_show_what_changes(
    clawctl: Typed, serve: Serve, words: tuple[str, ...], params: dict[str, Any]
) -> None:
    server = serve(config__reload=PLAN)

    status, out, _err = clawctl(*words)

    assert status == 0
    assert out == "+ new\n~ web: tags, env\n! api: restart: command changed\n- old\n"
    del server.requests[0].params["request_id"]
    assert server.requests[0].params == params


def test_alerts_are_listed_and_noted(clawctl: Typed, serve: Serve) -> None:
    alert = {"id": 3, "kind": "damaged", "text": "look", "at": "2020-01-01T00:00:00+00:00"}
    server = serve(alert__list={"alerts": [alert]}, alert__ack={"acked": 1})

    assert clawctl("alerts", "list")[1].splitlines()[1].split() == [
        "3", "2020-01-01", "damaged", "look",
    ]  # fmt: skip
    assert clawctl("alerts", "ack", "3")[1] == "1 alert noted\n"
    assert clawctl("alerts", "ack")[0] == 0
    asked = [request.params.get("targets") for request in server.requests[1:]]
    assert asked == [["3"], []]


def test_api_prints_the_result_as_it_is(clawctl: Typed, serve: Serve) -> None:
    server = serve(job__status={"jobs": []})

    status, out, _err = clawctl("api", "job.status", '{"targets": ["web"]}')

    assert (status, json.loads(out)) == (0, {"jobs": []})
    assert server.requests[0].params == {"targets": ["web"]}


def test_api_of_a_stream_prints_each_notification(clawctl: Typed, serve: Serve) -> None:
    def answer(request: Request, session: Session) -> None:
        session.reply(request, {"subscription": 1, "cursor": 0})
        session.send(control.encode_notification("event", {"cursor": 1}))
        session.send(control.encode_notification("lagged", {"resume_from": 1}))

    serve(answer)

    lines = [json.loads(line) for line in clawctl("api", "event.subscribe")[1].splitlines()]

    assert [line.get("method") for line in lines] == [None, "event", "lagged"]


def test_the_daemon_that_does_not_run_is_said_not_to(clawctl: Typed) -> None:
    assert clawctl("daemon", "status") == (3, "the daemon does not run\n", "")
    assert clawctl("daemon", "stop") == (0, "the daemon does not run\n", "")
    assert json.loads(clawctl("daemon", "status", "--json")[1])["up"] is False
    assert clawctl("daemon", "logs")[0] == 4


def test_the_daemons_log_is_shown_from_its_end(clawctl: Typed, home: Path) -> None:
    (home / "log").mkdir()
    text = "".join(f"line {number} {'x' * 100}\n" for number in range(3000))
    (home / "log/clawd.log").write_text(text)

    assert clawctl("daemon", "logs", "-n", "0")[1] == ""
    assert clawctl("daemon", "logs", "-n", "1")[1] == text[text.index("line 2999") :]
    assert clawctl("daemon", "logs", "-n", "2000")[1] == text[text.index("line 1000") :]
    assert clawctl("daemon", "logs", "-n", "9999")[1] == text


def test_down_where_nothing_is_up_is_no_error(
    clawctl: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert clawctl("down")[:2] == (0, "nothing is up here\n")
    assert clawctl("up")[0] == 2
