"""Compose files: processes run here, and services where docker compose puts them."""

from pathlib import Path

import pytest

from claw.config.importers import compose
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.sources import Source
from claw.errors import UsageError

PROCESSES = """
version: "0.5"
environment: ["A=1", 'B=${KNOWN}/x']
processes:
  db:
    command: exec ./db --no {{.PC_REPLICA_NUM}}
    availability: {restart: on_failure, backoff_seconds: 2, max_restarts: 3}
    readiness_probe: {http_get: {host: 127.0.0.1, port: "80{{.PC_REPLICA_NUM}}0", path: /ok}}
    liveness_probe: {exec: {command: check}, initial_delay_seconds: 3}
    shutdown: {signal: 2, timeout_seconds: 4, command: ./stop}
    namespace: back
  init:
    command: |
      one
      two
    availability: {restart: no}
    environment: {A: 2, C: "${UNKNOWN}", D: "${ALSO:-def}", UNKNOWN: "${UNKNOWN}"}
    depends_on: {db: {condition: process_healthy}}
    frobnicate: 1
  app:
    command: ./app
    replicas: 2
    working_dir: ${UNKNOWN}/app
    depends_on:
      init: {condition: process_completed_successfully}
      gone: {condition: process_started}
  off: {command: x, disabled: true, is_tty: true, ready_log_line: "up (now)"}
  daemon: {command: x, is_daemon: true}
"""

SERVICES = """
services:
  db:
    image: postgres:16
    restart: always
    environment: ["PASSWORD=${DB_PASS:?needed}", "KEEP=$$this", TOKEN]
    healthcheck: {test: ["CMD", "pg_isready"]}
    stop_grace_period: 1m
  migrate:
    build: .
    depends_on: {db: {condition: service_healthy}}
  web:
    image: web
    restart: on-failure:3
    depends_on:
      migrate: {condition: service_completed_successfully}
      db: {condition: service_started}
  debug: {image: x, profiles: [debug]}
"""


def read(text: str, file: str = "compose.yml", folder: str = "/app", **environ: str) -> Harvest:
    source = Source(file, text.encode(), folder)
    return compose.read([source], Options(environ=environ))


def by_name(text: str, **environ: str) -> dict[str, Draft]:
    return {job.name: job for job in read(text, **environ).jobs}


def told(job: Draft) -> str:
    return "\n".join(note.as_line() for note in job.notes)


def test_processes_become_services() -> None:
    db = by_name(PROCESSES, KNOWN="/k")["db"].table

    assert db["command"] == "exec ./db --no 0"
    assert db["restart"] == {
        "policy": "on-failure", "delays": ["2s"], "start_limit": 4, "start_limit_window": "1d",
    }  # fmt: skip
    assert db["ready"] == {
        "type": "http", "url": "http://127.0.0.1:8000/ok", "interval": "10s", "timeout": "0",
    }  # fmt: skip
    assert db["health"] == {
        "type": "exec", "command": "check", "interval": "10s", "timeout": "1s",
        "start_period": "3s", "failures": 3,
    }  # fmt: skip
    assert (db["stop_signal"], db["grace_period"], db["stop_command"]) == (
        "INT",
        "4s",
        "./stop",
    )
    assert (db["cwd"], db["tags"], db["shell"]) == ("/app", ["back"], "/bin/bash")
    assert db["env"] == {"A": "1", "B": "/k/x"}


def test_the_word_no_is_no_boolean_and_what_follows_waits_for_a_good_end() -> None:
    jobs = by_name(PROCESSES, KNOWN="/k")

    assert jobs["init"].part("restart") == {"policy": "never"}
    assert jobs["init"].table["depends_on"] == ["db"]
    assert jobs["app"].table["depends_on"] == [{"job": "init", "condition": "after_complete"}]
    assert "gone: left out" in told(jobs["app"])


def test_variables_come_from_where_they_came_from() -> None:
    jobs = by_name(PROCESSES, KNOWN="/k")

    assert jobs["init"].table["command"] == "one\ntwo"
    assert jobs["init"].table["env"] == {
        "A": "2", "B": "/k/x", "C": "${env:UNKNOWN}", "D": "def",
    }  # fmt: skip
    assert jobs["app"].table["command"] == 'cd "${UNKNOWN}/app" &&\n./app'
    assert by_name(PROCESSES, UNKNOWN="/u")["app"].table["cwd"] == "/u/app"


def test_what_process_compose_alone_knows_is_told() -> None:
    jobs = by_name(PROCESSES, KNOWN="/k")

    assert "compose.yml:19: frobnicate: left out" in told(jobs["init"])
    assert (jobs["off"].table["enabled"], jobs["off"].table["tty"]) == (False, True)
    assert jobs["off"].part("ready")["pattern"] == r"up\ \(now\)"
    assert jobs["daemon"].table["enabled"] is False
    assert jobs["app"].table["instances"] == 2


def test_a_service_is_run_by_docker_compose() -> None:
    db = by_name(SERVICES)["db"]

    assert db.table["command"] == (
        "docker compose -f /app/compose.yml up --no-deps --no-log-prefix --exit-code-from db db"
    )
    assert db.part("restart") == {"policy": "always"}
    assert db.part("ready")["type"] == "exec"
    assert db.table["inherit_env"] == ["PATH", "LANG", "TZ", "DB_PASS", "TOKEN"]
    assert db.table["grace_period"] == "1m5s"
    assert "lest docker does it as well" in told(db)


def test_services_wait_for_each_other() -> None:
    jobs = by_name(SERVICES)

    assert jobs["migrate"].table["depends_on"] == ["db"]
    assert jobs["web"].table["depends_on"] == [
        {"job": "migrate", "condition": "after_complete"}, "db",
    ]  # fmt: skip
    assert jobs["web"].part("restart") == {
        "policy": "on-failure", "start_limit": 4, "start_limit_window": "1h",
    }  # fmt: skip
    assert jobs["debug"].table["autostart"] is False


def test_docker_compose_needs_the_file() -> None:
    with pytest.raises(UsageError, match="give its path"):
        read(SERVICES, "-")


def test_the_env_file_beside_it_counts(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("UNKNOWN=/u\n")

    jobs = {job.name: job for job in read(PROCESSES, folder=str(tmp_path)).jobs}

    assert jobs["app"].table["cwd"] == "/u/app"
    assert jobs["app"].table["env_file"] == f"{tmp_path}/.env"


@pytest.mark.parametrize(
    "text", ["a: 1\n", "[1, 2]\n", "services: 3\n", "a: [\n", "", "&a [*a, *a]\n", "\x00"]
)
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"neither services|is no YAML"):
        read(text)
