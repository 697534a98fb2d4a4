"""ProcClaw's and OpenClaw's jobs, with the traps that their importers fell into."""

import json

import pytest

from claw.config.importers import openclaw, procclaw
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.sources import Source
from claw.errors import UsageError

BACKUP = """\
name: Backup
cmd: ./backup --token ${secret:S3_TOKEN} --to ${env:TARGET}
type: scheduled
schedule: 0 3 * * *
on_overlap: queue
priority: 1
queue: disk
env: {MODE: full, KEY: "${secret:KEY}", HOMEDIR: $HOME/x}
retry: {preset: exponential, max_attempts: 3, rate_limit_delays: [60, 120]}
shutdown: {grace_period: 20, signal: SIGINT}
operating_hours: {enabled: true, days: [1, 3], start: 18:00, end: 06:00, action: pause}
dedup: {window_seconds: 30}
resources: {enabled: true, max_memory_mb: 512, timeout_seconds: 600, action: kill}
sla: {success_rate: 99, schedule_tolerance: 120, error_budget: {period: day, max_failures: 2}}
alerts: {on_failure: true, channels: [whatsapp]}
self_healing: {mode: proactive}
typ: manual
"""


def claw_job(text: str, file: str = "backup.yaml") -> Draft:
    [job] = procclaw.read([Source(file, text.encode(), "/j")], Options()).jobs
    return job


def told(job: Draft) -> str:
    return "\n".join(note.as_line() for note in job.notes)


def test_a_job_of_procclaw_is_carried_over() -> None:
    job = claw_job(BACKUP)

    table = job.table
    assert (job.name, table["name"]) == ("backup", "Backup")
    assert (table["schedule"], table["on_overlap"], table["lock"]) == (
        "0 3 * * *",
        "queue",
        "disk",
    )
    assert table["retry"] == {
        "preset": "exponential", "max_attempts": 3, "rate_limit": {"delays": ["1m", "2m"]},
    }  # fmt: skip
    assert (table["grace_period"], table["stop_signal"]) == ("20s", "INT")
    assert table["hours"] == {
        "days": "mon,wed", "from": "18:00", "to": "06:00", "timezone": "America/Sao_Paulo",
        "outside": "skip",
    }  # fmt: skip
    assert (table["priority"], table["dedup"]) == ("high", {"window": "30s"})
    assert table["resources"] == {"memory": "512M", "action": "kill"}
    assert table["timeout"] == "10m"
    assert table["sla"] == {
        "tolerance": "2m", "success_rate": 99, "error_budget": {"period": "day", "failures": 2},
    }  # fmt: skip


def test_its_author_s_zone_is_not_lost_with_the_default() -> None:
    job = claw_job(BACKUP)

    assert job.table["timezone"] == "America/Sao_Paulo"
    assert "timezone: not said" in told(job)


def test_a_secret_leaves_the_command() -> None:
    job = claw_job(BACKUP)

    assert job.table["command"] == "./backup --token ${S3_TOKEN} --to ${TARGET}"
    assert job.table["env"] == {
        "MODE": "full", "KEY": "${secret:KEY}", "HOMEDIR": "${env:HOME}/x",
        "S3_TOKEN": "${secret:S3_TOKEN}",
    }  # fmt: skip
    assert job.table["inherit_env"] == ["PATH", "LANG", "TZ", "TARGET"]


def test_a_key_that_procclaw_passes_over_is_told() -> None:
    lines = told(claw_job(BACKUP))

    assert "backup.yaml:17: typ: left out: ProcClaw does not know it either" in lines
    assert "backup.yaml:16: self_healing: left out" in lines
    assert "alerts.channels: whatsapp: left out" in lines


def test_retries_are_on_unless_they_are_turned_off() -> None:
    assert claw_job("cmd: x\n").table["retry"] == {"preset": "webhook", "max_attempts": 5}
    assert "retry" not in claw_job("cmd: x\nretry: {enabled: false}\n").table


def test_a_service_has_its_checks_which_only_tell() -> None:
    job = claw_job("cmd: x\ntype: continuous\nhealth_check: {type: http, url: 'http://h/'}\n")

    assert job.table["type"] == "continuous"
    assert job.table["health"] == {
        "type": "http", "interval": "1m", "timeout": "10s", "action": "alert", "url": "http://h/",
    }  # fmt: skip


def test_the_old_file_of_all_jobs_and_their_dependencies() -> None:
    text = (
        "jobs:\n  a: {cmd: a, type: continuous}\n"
        "  b: {cmd: b, depends_on: [{job: a, timeout: 5}, gone]}\n"
        "  c: {type: chain, steps: [a, b]}\n"
    )
    found = procclaw.read([Source("jobs.yaml", text.encode(), "/j")], Options())

    a, b = found.jobs
    assert a.name == "a"
    assert b.table["depends_on"] == [{"job": "a", "condition": "after_start", "timeout": "5s"}]
    assert "gone: left out" in told(b)
    assert "a chain of a b" in found.notes[0].text


def test_triggers_of_procclaw_are_events_and_files() -> None:
    hook = claw_job("cmd: x\ntrigger: {enabled: true, auth_token: t}\n", "hook.yaml")
    file = claw_job(
        "cmd: x\ntrigger: {enabled: true, type: file, watch_path: /in, pattern: '*.c'}\n"
    )

    assert hook.table["events"] == ["hook"]
    assert file.table["watch"] == {"paths": ["/in/*.c"]}


@pytest.mark.parametrize("text", ["name: x\n", "[]\n", "jobs: {}\n", "- a\n"])
def test_what_is_no_job_of_procclaw_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="has no job of ProcClaw"):
        claw_job(text)


# -- OpenClaw ----------------------------------------------------------------------------------


def open_jobs(*jobs: dict[str, object]) -> Harvest:
    raw = json.dumps({"version": 1, "jobs": jobs}, indent=1).encode()
    return openclaw.read([Source("jobs.json", raw, "/o")], Options())


def turn(**keys: object) -> dict[str, object]:
    return {
        "id": "id1", "name": "Morning", "enabled": True, "sessionTarget": "isolated",
        "schedule": {"kind": "cron", "expr": "0 7 * * *"},
        "payload": {"kind": "agentTurn", "message": "it's \"time\" for $5",
                    "timeoutSeconds": 90},
        **keys,
    }  # fmt: skip


def test_a_schedule_without_a_zone_is_of_the_host() -> None:
    [job] = open_jobs(turn()).jobs

    assert job.table["schedule"] == "0 7 * * *"
    assert "timezone" not in job.table


def test_an_interval_stays_one_and_a_moment_too() -> None:
    every, at = open_jobs(
        turn(schedule={"kind": "every", "everyMs": 5_400_000}),
        turn(name="b", schedule={"kind": "at", "at": "2030-01-02T03:04:05"}),
    ).jobs

    assert every.table["schedule"] == "@every 1h30m"
    assert at.table["run_at"] == "2030-01-02T03:04:05+00:00"
    assert at.table["delete_after_run"] is True


def test_a_turn_asks_the_gateway_once_for_each_run() -> None:
    [job] = open_jobs(
        turn(delivery={"mode": "announce", "channel": "telegram", "to": "12"})
    ).jobs

    command = str(job.table["command"])
    assert command.startswith(
        "exec openclaw gateway call agent --json --expect-final --timeout 90000"
    )
    assert '\\"idempotencyKey\\": \\"${CLAW_RUN_ID}\\"' in command
    assert '\\"deliver\\": true, \\"channel\\": \\"telegram\\", \\"to\\": \\"12\\"' in command
    assert "for \\$5" in command
    assert job.table["timeout"] == "2m30s"


def test_a_webhook_is_posted_to() -> None:
    [job] = open_jobs(turn(delivery={"mode": "webhook", "to": "https://h/x?a&b"})).jobs

    assert str(job.table["command"]).endswith("--data-binary @- 'https://h/x?a&b'")
    assert "delivery: webhook" in told(job)


def test_an_event_for_the_main_session() -> None:
    [job] = open_jobs(
        turn(
            sessionTarget="main", wakeMode="now", payload={"kind": "systemEvent", "text": "a b"}
        )
    ).jobs

    assert job.table["command"] == "openclaw system event --text 'a b' --mode now"


def test_what_cannot_be_carried_over_is_told_with_its_line() -> None:
    found = open_jobs(
        turn(schedule={"kind": "on-exit"}),
        turn(id="h", declarationKey="x"),
        turn(id="p", payload={"kind": "else"}),
        turn(id="o", schedule={"kind": "at", "at": "2020-01-01"}, state={"lastRunAtMs": 1}),
    )

    assert found.jobs == []
    assert len(found.notes) == 4
    assert all(note.line for note in found.notes)


@pytest.mark.parametrize("text", ["{}", "hello", '{"jobs": 3}'])
def test_what_is_no_file_of_openclaw_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"has no jobs of OpenClaw|is no JSON"):
        openclaw.read([Source("jobs.json", text.encode(), "/o")], Options())
