"""The commands about the configuration, which need no daemon."""

import json
import os
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claw.cli.render import configuration
from claw.cli.terminal import PLAIN
from claw.cli.verbs import written, writtenvalues
from claw.config.load import load
from claw.config.schema import schema
from claw.kernel import clock
from claw.model.job import Job
from tests.unit.cli.conftest import Typed

EVERYTHING = Path(__file__).with_name("everything.toml").read_text()


def without_place(job: Job) -> Job:
    return replace(job, file="", line=0)


def without_places(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    places = ("files", "defined_at")
    return {key: without_places(one) for key, one in value.items() if key not in places}


def test_what_config_show_prints_is_the_same_configuration(tmp_path: Path) -> None:
    first, second = tmp_path / "claw.toml", tmp_path / "again.toml"
    first.write_text(EVERYTHING)
    config = load(str(first))

    second.write_text(configuration.render(written.configuration(config), PLAIN, clock.now()))
    again = load(str(second))

    assert again.daemon == config.daemon
    assert (again.pools, again.locks) == (config.pools, config.locks)
    assert (again.channels, again.hooks) == (config.channels, config.hooks)
    assert list(map(without_place, again.jobs)) == list(map(without_place, config.jobs))
    again_shown = written.configuration(again)
    shown = written.configuration(config)
    assert without_places(again_shown) == without_places(shown)


def test_cron_next_begins_at_a_time_on_the_clock_of_its_zone(clawctl: Typed) -> None:
    begin = ("cron", "next", "0 12 * * *", "--from", "2026-03-28T11:30", "-n", "1", "--json")
    for timezone, offset in (("Asia/Tokyo", "+09:00"), ("America/Lima", "-05:00")):
        found = json.loads(clawctl(*begin, "--tz", timezone)[1])["fires"]
        assert found == [f"2026-03-28T12:00:00{offset}"]
    assert clawctl(*begin[:4], "soon")[0] == 2


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.5, "0.5s"), (90, "1m30s"), (5415, "1h30m15s"), (172800, "2d")],
)
def test_a_duration_is_written_exactly(seconds: float, text: str) -> None:
    assert writtenvalues.duration(seconds) == text


def test_init_writes_a_configuration_that_is_valid(clawctl: Typed, home: Path) -> None:
    status, out, _err = clawctl("init")

    assert status == 0
    assert str(home / "config/claw.toml") in out
    assert clawctl("config", "validate")[0] == 0
    assert clawctl("init")[0] == 1


def test_validate_names_every_mistake_on_a_line_of_its_own(
    clawctl: Typed, tmp_path: Path
) -> None:
    file = tmp_path / "bad.toml"
    file.write_text("[jobs.web]\nkommand = 'x'\n[jobs.api]\ncommand = 3\n")

    status, out, err = clawctl("config", "validate", "-f", str(file))

    assert (status, out) == (2, "")
    lines = err.splitlines()
    assert any(line.startswith(f"{file}:2: jobs.web.kommand: ") for line in lines)
    assert any(line.startswith(f"{file}:4: jobs.api.command: ") for line in lines)


def test_one_mistake_is_told_once(clawctl: Typed, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text("[jobs.web]\ncommand = 3\n")

    status, _out, err = clawctl("config", "validate", "-f", str(file))

    assert status == 2
    assert err.count("\n") == 1


def test_validate_and_show_take_a_file(clawctl: Typed, tmp_path: Path) -> None:
    file = tmp_path / "claw.toml"
    file.write_text(EVERYTHING)

    assert (
        clawctl("config", "validate", "-f", str(file))[1] == "19 jobs in 1 file, no mistakes\n"
    )
    assert tomllib.loads(clawctl("config", "show", "-f", str(file))[1])["jobs"].keys() == {
        "web", "hook", "report", "kill", "a.b-c_d", "once", "twice", "dog", "pup",
        "tried", "tried-also", "limited", "free", "asked", "after", "checked", "probed",
    }  # fmt: skip
    as_json: dict[str, Any] = json.loads(
        clawctl("config", "show", "-f", str(file), "--json")[1]
    )
    assert as_json["jobs"]["web"]["grace_period"] == "1h30m15s"


def test_the_schema_is_json_either_way(clawctl: Typed) -> None:
    assert json.loads(clawctl("config", "schema")[1]) == json.loads(json.dumps(schema()))
    assert clawctl("config", "schema")[1] == clawctl("config", "schema", "--json")[1]


def test_paths_say_where_everything_lies(clawctl: Typed, home: Path) -> None:
    clawctl("init")

    found = json.loads(clawctl("config", "paths", "--json")[1])

    assert found["config"] == f"{home}/config"
    assert found["files"] == [f"{home}/config/claw.toml"]
    assert found["control_socket"] == f"{home}/run/control.sock"
    assert f"{home}/log" in clawctl("config", "paths")[1]


def test_cron_next_shows_the_times_in_their_zone(clawctl: Typed) -> None:
    words = ("cron", "next", "30 2 * * *", "--tz", "Europe/Berlin", "--from", "2026-03-28",
             "-n", "3", "--json")  # fmt: skip

    status, out, _err = clawctl(*words)

    assert status == 0
    assert json.loads(out) == {
        "expr": "30 2 * * *",
        "timezone": "Europe/Berlin",
        "fires": [
            "2026-03-28T02:30:00+01:00",
            "2026-03-29T03:00:00+02:00",
            "2026-03-30T02:30:00+02:00",
        ],
    }
    assert len(clawctl("cron", "next", "@hourly")[1].splitlines()) == 5
    assert clawctl("cron", "next", "@reboot")[1] == "it never fires by itself\n"


@pytest.mark.parametrize(
    "words",
    [
        ("cron", "next", "61 * * * *"),
        ("cron", "next", "* * * *"),
        ("cron", "next", "@daily", "--tz", "Mars/Base"),
    ],
)
def test_what_is_no_expression_or_zone_is_refused(
    clawctl: Typed, words: tuple[str, ...]
) -> None:
    status, _out, err = clawctl(*words)

    assert status == 2
    assert err.startswith("clawctl: ")


@pytest.mark.skipif(os.geteuid() != 0, reason="it takes a folder of root's")
def test_a_home_is_judged_as_that_of_who_runs_its_daemon(
    home: Path, clawctl: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "config").mkdir()
    (home / "config/claw.toml").write_text('[jobs.a]\ncommand = "true"\nuser = "nobody"\n')
    monkeypatch.setattr(os, "geteuid", lambda: 65533)

    assert clawctl("config", "show")[0] == 0
    assert clawctl("config", "validate", "-f", f"{home}/config/claw.toml")[0] == 2
    os.chown(home / "config", 65533, -1)
    assert clawctl("config", "show")[0] == 2
