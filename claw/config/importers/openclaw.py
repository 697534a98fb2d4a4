"""OpenClaw's cron jobs: ``cron/jobs.json``, or ``openclaw automations list --all --json``.

Each becomes a job that asks the gateway for the same through ``openclaw``: a turn of an agent,
or an event for its main session. Intervals stay intervals, moments moments; a schedule without
a zone is of the host's, as it is here.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from claw.config.importers import quoting
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.sources import Source
from claw.config.importers.values import (
    Table,
    duration,
    is_true,
    items,
    number,
    seconds,
    table,
    text,
)
from claw.errors import UsageError

_CARRIED = frozenset(
    {
        "id", "name", "enabled", "createdAtMs", "updatedAtMs", "schedule", "sessionTarget",
        "wakeMode", "payload", "state", "agentId", "sessionKey", "description",
        "deleteAfterRun", "delivery", "failureAlert", "declarationKey",
    }
)  # fmt: skip
_OF_GATEWAY = frozenset(
    {"scheduledToolPolicy", "configRevision", "effectiveAgentId", "status", "nextRunAtMs"}
)
_OF_TURN = frozenset({"kind", "message", "text", "thinking", "timeoutSeconds"})
_SPARE_S = 60.0
_HEAD = "History and counters of errors (state) stay with OpenClaw."


def read(sources: Sequence[Source], _options: Options) -> Harvest:
    """Return the jobs of OpenClaw's files.

    Raises:
        UsageError: One is no such file.
    """
    harvest = Harvest(head=[_HEAD])
    for source in sources:
        try:
            whole: object = json.loads(source.text)
        except ValueError as error:
            raise UsageError(f"{source.file} is no JSON: {error}") from None
        found = whole if isinstance(whole, list) else table(whole).get("jobs")
        if not isinstance(found, list):
            raise UsageError(
                f'{source.file} has no jobs of OpenClaw: {{"jobs": [...]}} is expected'
            )
        for one in found:
            _read(harvest, source, table(one))
    return harvest


def _read(harvest: Harvest, source: Source, found: Table) -> None:
    name = text(found.get("name")) or text(found.get("id"))
    line = _line_of(source, text(found.get("id")) or name)
    if found.get("declarationKey"):
        harvest.tell(source.file, line, name, "left out: it is the gateway's own housekeeping")
        return
    job = harvest.job(name or "job", source.file, line)
    job.is_unnamed = True  # several may have one name
    payload = table(found.get("payload"))
    if not (_put_schedule(job, found) and _put_payload(job, found, payload)):
        harvest.drop(job)
        return
    _put_facts(job, found)


def _put_facts(job: Draft, found: Table) -> None:
    if not is_true(found.get("enabled", True)):
        job.disable()
    if found.get("description"):
        job.table["description"] = text(found["description"])
    if found.get("id"):
        job.remarks.append(f"id: {text(found['id'])}")
    if found.get("failureAlert"):
        job.tell("failureAlert", "left out: write alerts, with a channel of claw.toml")
    for key in found:
        if key not in _CARRIED | _OF_GATEWAY:
            job.tell(key, "left out: claw has nothing like it")


def _line_of(source: Source, word: str) -> int:
    found = source.text.find(json.dumps(word)) if word else -1
    return source.text.count("\n", 0, found) + 1 if found >= 0 else 0


# -- when ------------------------------------------------------------------------------------


def _put_schedule(job: Draft, found: Table) -> bool:
    """Have the job begin when it did; False: there is no such time."""
    schedule = table(found.get("schedule"))
    kind = text(schedule.get("kind"))
    if kind == "cron":
        _put_cron(job, schedule)
    elif kind == "every":
        every = number(schedule.get("everyMs"))
        if not every or every < 1000:  # noqa: PLR2004
            job.tell("schedule", f"left out: every {every} ms: the shortest interval is 1 s")
            return False
        job.table["schedule"] = f"@every {duration(every / 1000)}"
        if schedule.get("anchorMs") is not None:
            job.tell("schedule.anchorMs", "claw counts from when the job is added")
    elif kind == "at":
        return _put_moment(job, found, text(schedule.get("at")))
    else:
        job.tell("schedule", f"left out: no job of claw begins by {kind!r}")
        return False
    if is_true(found.get("deleteAfterRun")):
        job.tell("deleteAfterRun", "left out: a job that runs again is not deleted")
    return True


def _put_cron(job: Draft, schedule: Table) -> None:
    job.table["schedule"] = text(schedule.get("expr"))
    if schedule.get("tz"):
        job.table["timezone"] = text(schedule["tz"])
    stagger = number(schedule.get("staggerMs"))
    if stagger:
        job.table["jitter"] = duration(stagger / 1000)


def _put_moment(job: Draft, found: Table, moment: str) -> bool:
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        job.tell("schedule.at", f"left out: {moment!r} is no time")
        return False
    if table(found.get("state")).get("lastRunAtMs") is not None:
        job.tell("schedule.at", f"left out: {moment} is over, and it has run")
        return False
    job.table["run_at"] = (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()
    if is_true(found.get("deleteAfterRun", True)):
        job.table["delete_after_run"] = True
    return True


# -- what ------------------------------------------------------------------------------------


def _put_payload(job: Draft, found: Table, payload: Table) -> bool:
    kind = text(payload.get("kind"))
    job.table["command"] = ""
    if kind == "systemEvent":
        mode = text(found.get("wakeMode")) or "next-heartbeat"
        words = [
            "openclaw",
            "system",
            "event",
            "--text",
            text(payload.get("text")),
            "--mode",
            mode,
        ]
        if found.get("sessionKey"):
            words += ["--session-key", text(found["sessionKey"])]
        del job.table["command"]
        quoting.put_program(job.table, words)
        _tell_of_delivery(job, table(found.get("delivery")))
    elif kind == "agentTurn":
        _put_turn(job, found, payload)
    else:
        job.tell("payload", f"left out: a payload of kind {kind!r}")
        return False
    return True


def _put_turn(job: Draft, found: Table, payload: Table) -> None:
    """Have the gateway's agent take a turn; each run is a request of its own."""
    run = quoting.variable("CLAW_RUN_ID", is_whole=True)
    agent = text(found.get("agentId")) or "main"
    is_main = text(found.get("sessionTarget")) == "main"
    session = text(found.get("sessionKey")) or (
        f"agent:{agent}:main" if is_main else f"agent:{agent}:claw:{job.name}:{run}"
    )
    params: dict[str, object] = {
        "message": text(payload.get("message")),
        "agentId": agent,
        "sessionKey": session,
        "idempotencyKey": run,
        **_delivery(table(found.get("delivery")), is_main=is_main),
    }
    if payload.get("thinking"):
        params["thinking"] = text(payload["thinking"])
    words = ["openclaw", "gateway", "call", "agent", "--json", "--expect-final"]
    limit = seconds(payload.get("timeoutSeconds"))
    if limit:
        params["timeout"] = limit
        words += ["--timeout", str(round(limit * 1000))]
        job.table["timeout"] = duration(limit + _SPARE_S)
    words += ["--params", json.dumps(params, ensure_ascii=False)]
    line = quoting.words_as_line(words)
    _put_command(job, line, table(found.get("delivery")))
    for key in payload.keys() - _OF_TURN:
        job.tell(f"payload.{key}", "left out: the gateway's agent method does not take it")


def _delivery(delivery: Table, *, is_main: bool) -> dict[str, object]:
    """Return how the gateway is to hand on the answer: an isolated turn is announced."""
    mode = text(delivery.get("mode")) or ("none" if is_main else "announce")
    if mode != "announce":
        return {"deliver": False}
    found: dict[str, object] = {"deliver": True}
    for key in ("channel", "to", "accountId"):
        if delivery.get(key) and delivery[key] != "last":
            found[key] = text(delivery[key])
    return found


def _put_command(job: Draft, line: str, delivery: Table) -> None:
    if text(delivery.get("mode")) == "webhook" and delivery.get("to"):
        target = quoting.line_of([text(delivery["to"])])
        job.table["shell"] = "/bin/bash"
        job.table["command"] = (
            f"set -o pipefail\n{line} |\ncurl -fsS -X POST -H 'Content-Type: application/json'"
            f" --data-binary @- {target}"
        )
        job.tell(
            "delivery", "webhook: curl posts what the gateway answers, which is another JSON"
        )
    else:
        job.table["command"] = f"exec {line}"
    others = [one for one in items(delivery.get("failureDestination")) if one]
    if others:
        job.tell("delivery.failureDestination", "left out: write alerts, with a channel")


def _tell_of_delivery(job: Draft, delivery: Table) -> None:
    if text(delivery.get("mode")) in {"announce", "webhook"}:
        job.tell("delivery", "left out: the main session answers where it talks")
