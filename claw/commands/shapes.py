"""What replies look like: JSON Schemas of the values that several methods share.

Replies only ever gain fields. Times are ISO 8601 with offset, durations seconds, sizes
bytes, what is absent null.
"""

from __future__ import annotations

from claw.commands.schema import (
    array,
    boolean,
    choice,
    integer,
    mapping,
    nullable,
    number,
    record,
    string,
    time,
)

DELIVERY_STATES = ("pending", "sent", "failed", "dropped")
DELIVERY_KINDS = ("hook", "alert", "output", "test")

JOB_TYPES = ("manual", "continuous", "scheduled", "oneshot")
JOB_STATES = (
    "running", "starting", "unhealthy", "backoff", "unresponsive", "stopping", "stopped",
    "paused", "exited", "fatal", "scheduled", "planned", "waiting", "done", "failed",
    "disabled",
)  # fmt: skip
RUN_STATES = (
    "awaiting_approval", "queued", "claimed", "running", "retry_wait", "succeeded", "failed",
    "timed_out", "crashed", "canceled", "skipped", "missed",
)  # fmt: skip

LOOKED = record(
    {
        "ok": boolean("whether all that was looked at works"),
        "findings": array(
            "in the order of the checks",
            record(
                {
                    "check": string("what was looked at"),
                    "level": choice("how it stands", "pass", "warn", "fail", "skip"),
                    "text": string("what was found"),
                    "fix": nullable(string("what to do about it")),
                },
                is_open=True,
            ),
        ),
    },
    ("ok", "findings"),
    is_open=True,
)

PRIORITIES = ("critical", "high", "normal", "low")

PRIORITY = choice("which of those that wait goes first; left out: the job's", *PRIORITIES)
JOB_NAME = string("the job")
RUN_ID = string("the run's whole id")
EXIT_CODE = nullable(integer("exit status of the child"))
SIGNAL = nullable(integer("number of the signal that ended the child"))
WARNINGS = array("what is worth saying beside the answer", string("one line"))

APPROVAL = {
    "asked_at": time("since when it waits, or has waited"),
    "expires_at": nullable(time("until when somebody may decide; null: for ever")),
    "on_timeout": choice("what holds when nobody has", "reject", "approve"),
    "by": array("who may decide; empty: whoever may operate", string("a user or group:NAME")),
    "self": boolean("whether whoever asked for the run may decide"),
    "decision": nullable(
        choice("what was decided", "approved", "rejected", "expired", "canceled")
    ),
    "decided_at": nullable(time("when")),
    "decided_by": nullable(string("who; null: nobody, it expired or was canceled")),
    "reason": nullable(string("why, in their words")),
}

LAST_RUN = record(
    {
        "run": RUN_ID,
        "state": choice("how it ended", *RUN_STATES),
        "exit_code": EXIT_CODE,
        "signal": SIGNAL,
        "survivors": nullable(string("processes of it that could not be ended")),
        "left_running": nullable(string("processes of it that kill_mode leaves running")),
        "ended_at": nullable(time("when it ended")),
    },
    description="the job's last run that is over",
    is_open=True,
)

ROLLOUT = record(
    {
        "why": choice("what it is for", "restart", "reload"),
        "by": string("who asked for it"),
        "at": time("when"),
        "batch": integer("so many at a time"),
        "todo": array("instances still to come", integer("a number")),
        "busy": array("instances that are being restarted", integer("a number")),
        "done": array("instances that are ready again", integer("a number")),
        "failed": nullable(string("the instance at which it stopped, and why")),
    },
    description="a rolling restart that is under way, or that failed",
    is_open=True,
)

PING = record(
    {
        "kind": choice("what it told", "start", "success", "fail"),
        "run": string("of which run"),
        "asked_at": time("when it was asked for"),
        "done_at": nullable(time("when it was made, or given up; null: not yet")),
        "problem": nullable(string("why it could not be made")),
    },
    description="the last call to its dead-man's switch",
    is_open=True,
)

SOCKET = record(
    {
        "name": string("its name in LISTEN_FDNAMES"),
        "address": string("like tcp://127.0.0.1:8000 or unix:/run/app.sock"),
        "open": boolean("whether claw listens now"),
    },
    description="one socket",
    is_open=True,
)

JOB = record(
    {
        "name": string("the job, or one instance of it: web@2"),
        "job": JOB_NAME,
        "type": choice("when it runs", *JOB_TYPES),
        "state": string("what it is doing, as `status` shows it"),
        "why": nullable(string("why it is in that state, in words")),
        "pid": nullable(integer("its child")),
        "run": nullable(string("its present run")),
        "started_at": nullable(time("when the present child was started")),
        "uptime": nullable(number("seconds the present child has lived")),
        "restarts": integer("restarts within the present run"),
        "ready": nullable(boolean("whether it is ready to serve")),
        "health": nullable(choice("what its health check says", "healthy", "unhealthy")),
        "status_text": nullable(string("what the child says of itself (sd_notify)")),
        "queued": integer("runs that wait"),
        "instance": nullable(integer("number of the instance, of a service with several")),
        "instances": integer("how many instances there are to be"),
        "rollout": nullable(ROLLOUT),
        "last": nullable(LAST_RUN),
        "next_at": nullable(time("when it is due next")),
        "alerts": array("kinds of the alerts that stand", string("a kind")),
        "ping": nullable(PING),
        "enabled": boolean("whether its configuration lets it run"),
        "tags": array("its tags", string("a tag")),
        "sockets": array("what claw listens on for it", SOCKET),
    },
    ("name", "type", "state"),
    description="one job",
    is_open=True,
)

ATTEMPT = record(
    {
        "no": integer("number of the attempt, from 1"),
        "cause": string("why it was made"),
        "pid": nullable(integer("the child")),
        "exit_code": EXIT_CODE,
        "signal": SIGNAL,
        "ended_for": nullable(string("why claw ended it as failed: a word, and more of it")),
        "error": nullable(string("why it could not be started: the step and the error")),
        "started_at": nullable(time("when the child was started")),
        "ended_at": nullable(time("when the child ended")),
        "cpu_time": nullable(number("seconds of processor time")),
        "max_memory": nullable(integer("largest resident memory, in bytes")),
    },
    description="one child of a run",
    is_open=True,
)

RUN = record(
    {
        "id": RUN_ID,
        "job": JOB_NAME,
        "instance": nullable(integer("number of the instance, of a service with several")),
        "state": choice("its state", *RUN_STATES),
        "origin": string("what asked for it"),
        "attempt": integer("number of the last attempt; 0: none yet"),
        "pid": nullable(integer("the present child")),
        "exit_code": EXIT_CODE,
        "signal": SIGNAL,
        "reason": nullable(string("why it ended so, or what it waits for")),
        "queued_at": time("when it was asked for"),
        "started_at": nullable(time("when its first child was started")),
        "ended_at": nullable(time("when it was over")),
        "duration": nullable(number("seconds from start to end")),
        "retries": integer("attempts that followed a failure or a crash"),
        "note": nullable(string("of a run that ended well: that there was nothing to do")),
        "dead_at": nullable(time("since when it is a dead letter")),
        "dead_why": nullable(string("why it is, or was, a dead letter")),
        "reinjected_as": nullable(string("the run that followed the dead letter")),
        "replay_of": nullable(string("the run it repeats")),
        "parent": nullable(string("the run it follows, or whose child asked for it")),
        "depth": integer("how many runs it came of, one by one"),
        "workflow": nullable(string("the workflow it belongs to")),
        "step": nullable(string("which step of that it is")),
        "event": nullable(string("the event it answers to")),
        "executor": nullable(string("where it runs")),
        "result": {"description": "the value its child handed back"},
        "approval": nullable(
            record(APPROVAL, description="run.show: who let it begin, or may", is_open=True)
        ),
        "excerpt": nullable(string("run.show: the end of the output, of a run that failed")),
        "output": array(
            "run.show: what its attempts have printed",
            record(
                {
                    "attempt": integer("number of the attempt"),
                    "stream": choice("which output", "stdout", "stderr"),
                    "size": integer("bytes"),
                    "source": choice("where all of it is", "database", "file"),
                },
                is_open=True,
            ),
        ),
        "supervisor_pid": nullable(integer("the supervisor of the present attempt")),
        "attempts": array("its children, first one first", ATTEMPT),
    },
    ("id", "job", "state"),
    description="one run",
    is_open=True,
)

ACTED = record(
    {
        "results": array(
            "one for each job, or each instance",
            record(
                {
                    "job": JOB_NAME,
                    "name": string("the job, or one instance of it: web@2"),
                    "instance": nullable(integer("number of the instance")),
                    "state": string("its state now"),
                    "run": nullable(string("the run that this began or touched")),
                },
                ("job", "state"),
                is_open=True,
            ),
        ),
        "warnings": WARNINGS,
    },
    ("results",),
    is_open=True,
)

EVENT = {
    "cursor": integer("its number: resume from here"),
    "at": time("when it happened"),
    "type": string("run.STATE, attempt.started, job.added, daemon.started, ..."),
    "job": nullable(string("the job it is about")),
    "run": nullable(string("the run it is about")),
    "from": nullable(string("the state before")),
    "to": nullable(string("the state after")),
    "why": nullable(string("the reason")),
    "by": nullable(string("who did it")),
}
EVENT_FILTER = record(
    {
        "job": string("only this job, or jobs of this pattern"),
        "type": string("only this type, or types of this pattern"),
        "run": string("only this run"),
    },
    description="which events",
)

PLAN = record(
    {
        "changed": boolean("whether there is anything to do"),
        "add": array("jobs that are new", string("a job")),
        "live": array(
            "jobs that change without a restart",
            record({"job": JOB_NAME, "fields": array("what changes", string("a field"))}),
        ),
        "restart": array(
            "jobs that are restarted to change",
            record({"job": JOB_NAME, "why": string("what makes it necessary")}),
        ),
        "remove": array("jobs that go", string("a job")),
    },
    ("changed", "add", "live", "restart", "remove"),
    is_open=True,
)

DAEMON = record(
    {
        "pid": integer("the master"),
        "version": string("its version"),
        "home": string("where its state lies"),
        "started_at": time("when it was started"),
        "uptime": number("seconds since then"),
        "jobs": integer("jobs it knows"),
        "running": integer("runs that run"),
        "queued": integer("runs that wait"),
        "config_changed": boolean("whether the files differ from what is loaded"),
        "fork_server_pid": nullable(integer("the fork server")),
        "supervisors": integer("supervisors that live"),
        "warnings": WARNINGS,
    },
    ("pid", "version"),
    is_open=True,
)

ALERT = record(
    {
        "id": integer("its number"),
        "kind": string("what kind of thing it is"),
        "job": nullable(string("of which job; null: of the daemon")),
        "run": nullable(string("of which run, the newest")),
        "text": string("what is wrong and what to do"),
        "at": time("since when"),
        "last_at": nullable(time("when it was seen last")),
        "times": integer("how often it was seen since then"),
        "acked_at": nullable(time("when somebody took note")),
        "resolved_at": nullable(time("when it was over")),
    },
    description="something that is said until it is acknowledged",
    is_open=True,
)

ENVIRONMENT = mapping("environment of this run alone, by name", string("a value"))
