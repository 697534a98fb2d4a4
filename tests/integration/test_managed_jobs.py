"""Jobs made, changed and removed with clawctl, without a file being edited."""

import json
import os
import shutil
import tomllib
from pathlib import Path

import pytest

from tests.kit.clawctl import Shell
from tests.kit.master import Json, MasterUnderTest, StartMaster

SITE = """
[jobs.web]
type = "continuous"
command = "sleep 600"
tags = ["site"]
grace_period = "2s"
"""


def _managed(claw: MasterUnderTest) -> Json:
    path = claw.folder / "config" / "managed.toml"
    return tomllib.loads(path.read_text())["jobs"] if path.exists() else {}


def test_a_job_lives_from_add_to_remove_and_its_history_stays(
    start_master: StartMaster,
) -> None:
    claw = start_master(SITE)
    ctl = Shell(claw.environment)

    dry = ctl("job", "add", "hello", "--tag", "x", "--dry-run", "--", "echo", "a b")
    assert 'argv = [\n    "echo",\n    "a b",\n]' in dry.out
    assert dry.lines[-1] == "+ hello"
    assert not _managed(claw)

    ctl("job", "add", "hello", "--tag", "x", "--env", "A=1", "--", "echo", "a b")
    assert _managed(claw)["hello"]["origin"] == f"cli:{os.getuid()}"
    run = ctl("run", "hello", "--wait").out.strip()
    assert ctl("logs", run).out == "a b\n"
    assert f"made by cli:{os.getuid()}" in ctl("job", "show", "hello").lines[0]
    listed = {job["name"]: job for job in ctl("--json", "job", "list").json["jobs"]}
    assert listed["hello"]["file"].endswith("managed.toml")

    ctl("job", "set", "hello", "tags+=y", "argv+=c")
    ctl("job", "tag", "hello", "z")
    ctl("job", "untag", "hello", "x")
    assert ctl("tags", "list", "--json").json["tags"] == [
        {"tag": "site", "jobs": ["web"]},
        {"tag": "y", "jobs": ["hello"]},
        {"tag": "z", "jobs": ["hello"]},
    ]
    ctl("run", "hello", "--wait")
    assert ctl("job", "remove", "hello").lines == ["- hello"]
    assert "no job or run" in ctl("status", "hello", status=4).fault
    assert ctl("runs", "show", run, "--json").json["state"] == "succeeded"
    assert not _managed(claw)


def test_a_job_of_a_file_is_overridden_key_by_key_and_the_file_stays(
    start_master: StartMaster,
) -> None:
    claw = start_master(SITE)
    ctl = Shell(claw.environment)
    before = claw.wait_state("web", "running")
    file = claw.folder / "config" / "claw.toml"

    assert ctl("job", "set", "web", "tags+=blue", "description=x").lines == [
        "~ web: description, tags"
    ]
    assert claw.job("web")["pid"] == before["pid"]
    ctl("disable", "tag:blue")
    assert claw.job("web")["enabled"] is False
    ctl("enable", "web")
    assert claw.job("web")["enabled"] is True
    assert file.read_text() == SITE

    shown = {one["key"]: one for one in ctl("job", "show", "web", "--json").json["values"]}
    assert (shown["tags"]["by"], shown["tags"]["value"]) == ("managed", ["site", "blue"])
    assert (shown["command"]["by"], shown["command"]["line"]) == ("file", 4)
    assert 'command = "sleep 600"' in ctl("job", "show", "web", "--toml").lines
    assert "defined by hand" in ctl("job", "remove", "web", status=1).fault
    ctl("job", "remove", "web", "--override")
    assert claw.job("web")["tags"] == ["site"]
    assert claw.job("web")["pid"] == before["pid"]


def test_what_cannot_be_taken_changes_nothing_and_is_told_with_a_hint(
    start_master: StartMaster,
) -> None:
    claw = start_master(SITE)
    ctl = Shell(claw.environment)
    for words, told in (
        (("job", "set", "web", "colour=1"), "unknown key"),
        (("job", "set", "web", "schedule=@daily"), "only for scheduled jobs"),
        (("job", "set", "nobody", "timeout=1"), "no job"),
        (("job", "add", "a", "--set", "comand=x"), 'did you mean "command"'),
        (("job", "add", "web", "--", "x"), "is there already"),
        (("job", "add", "a"), "nothing to run"),
        (("job", "add", "--", "a"), "needs a name"),
        (("job", "add", "a", "--at", "now", "--", "a"), "would never run"),
    ):
        said = ctl(*words, status=None)
        assert said.status != 0, words
        assert told in said.err, words
    assert not (claw.folder / "config" / "managed.toml").exists()

    claw.configure("[jobs.x\n", "managed.toml")
    assert "not TOML" in ctl("job", "add", "a", "--", "true", status=2).err
    assert (claw.folder / "config" / "managed.toml").read_text() == "[jobs.x\n"


def test_jobs_are_added_from_files_all_or_none(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master(SITE)
    ctl = Shell(claw.environment, tmp_path)
    (tmp_path / "two.toml").write_text(
        '[jobs.a]\ncommand = "true"\n[jobs.b]\ncommand = "true"\ndepends_on = ["a"]\n'
    )
    (tmp_path / "one.toml").write_text('comand = "true"\n')

    told = ctl("job", "validate", "one.toml", status=2).err
    assert "jobs.one.comand" in told
    assert 'did you mean "command"' in told
    ctl("job", "validate", "two.toml")
    assert not _managed(claw)
    ctl("job", "add", "--toml", "two.toml")
    said = ctl.sh("""echo '{"command": "sleep 600", "tags": ["j"]}' |
        $CLAWCTL job add svc --json - --type continuous --set grace_period=2s --start""")
    assert said.status == 0, said
    claw.wait_state("svc", "running")
    assert set(_managed(claw)) == {"a", "b", "svc"}
    assert "is there already" in ctl("job", "add", "b", "--", "false", status=1).fault


@pytest.mark.parametrize("name", ["web", "made"])
def test_an_edit_is_installed_only_if_it_is_valid(
    name: str, start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master(SITE)
    ctl = Shell({**claw.environment, "TMPDIR": str(tmp_path)})
    ctl(
        "job",
        "add",
        "made",
        "--type",
        "continuous",
        "--set",
        "grace_period=2s",
        "--",
        "sleep 9",
    )
    config = claw.folder / "config"
    file = config / ("claw.toml" if name == "web" else "managed.toml")
    before = file.read_text()

    ctl.environ["VISUAL"] = "sed -i s/grace/grece/"
    refused = ctl("job", "edit", name, status=2)
    assert 'did you mean "grace_period"' in refused.err
    [kept] = tmp_path.glob("claw-*.toml")
    assert "grece_period" in kept.read_text()
    assert file.read_text() == before

    ctl.environ["VISUAL"] = "sed -i s/2s/3s/"
    assert ctl("job", "edit", name).lines == [f"! {name}: restart: grace_period changed"]
    assert file.read_text() == before.replace("2s", "3s")
    ctl.environ["VISUAL"] = "true"
    assert ctl("job", "edit", name).err == "nothing has changed\n"


def test_the_first_job_needs_no_file_and_no_folder(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master("")
    ctl = Shell(claw.environment, tmp_path)
    shutil.rmtree(claw.folder / "config")
    (tmp_path / "one.toml").write_text('command = "pwd"\ncwd = "sub"\n')
    (tmp_path / "sub").mkdir()

    ctl("job", "add", "one", "--toml", "one.toml")
    assert ctl("run", "one", "--follow").out == f"{tmp_path}/sub\n"


def test_changes_at_the_same_time_all_hold(start_master: StartMaster) -> None:
    claw = start_master(SITE)
    ctl = Shell(claw.environment)
    going = [ctl.begin("job", "add", f"j{number}", "--", "true") for number in range(6)]
    for one in going:
        with one:
            assert one.process.wait(30) == 0
    assert set(_managed(claw)) == {f"j{number}" for number in range(6)}


MARK = "hunter2"
WHAT_USERS_WROTE = ("managed.toml", "claw.db", "claw.db-wal", "claw.db-shm")
"""They hold what was asked for, as it was; nobody else may read them."""


def test_no_secret_is_told_by_anything_that_claw_keeps_of_a_change(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master(SITE)
    ctl = Shell(claw.environment)
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i s/one/two/ "$1"\n')
    editor.chmod(0o755)
    edit = Shell({**claw.environment, "EDITOR": str(editor)})
    sets = f"--env=DB={MARK}"

    ctl("job", "add", "a", sets, "--env", "X=one", "--", "true")
    ctl("job", "set", "a", f"env.KEY={MARK}", f"ping=http://me:{MARK}@127.0.0.1:1/{MARK}")
    edit("job", "edit", "a")
    ctl("job", "add", "a", sets, "--", "true", status=None)  # refused: it is there
    ctl("job", "set", "a", f"env={MARK}", status=None)  # refused: no table
    ctl("run", "a", sets, "--wait")
    ctl("run", sets, "--wait", "--", "true")
    ctl("job", "remove", "a")

    files = [path for path in claw.folder.rglob("*") if path.is_file()]
    kept = [path for path in files if path.name in WHAT_USERS_WROTE]
    told = [path for path in files if MARK.encode() in path.read_bytes()]
    assert [path for path in told if path not in kept] == []
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    lines = Path(claw.home.audit_log).read_text()
    assert {json.loads(line)["method"] for line in lines.splitlines()} >= {
        *("job.add", "job.set", "job.replace", "job.remove", "run.submit", "run.transient")
    }
    assert MARK not in ctl("events", "--json").out
