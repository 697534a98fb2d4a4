"""`clawctl import`: what it prints is a good configuration, and what it adds runs."""

import tomllib
from pathlib import Path

import pytest

from claw.commands import kinds
from claw.config.importers.registry import IMPORTERS
from tests.kit.clawctl import Shell
from tests.kit.master import StartMaster

CRONTAB = """\
MAILTO=me
GREETING=hello there
# says hello
@every 1h echo "$GREETING, 100\\%"
@every 2h cat%from%standard input
0 0 30 2 * never
"""
OPENCLAW = """\
{"jobs": [{"id": "i", "schedule": {"kind": "every", "everyMs": 9000},
  "payload": {"kind": "systemEvent", "text": "a\\nb"}}]}
"""
PLIST = """\
<plist version="1.0"><dict><key>Label</key><string>a.b</string>
<key>Program</key><string>/x</string></dict></plist>
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell({"CLAW_HOME": str(tmp_path / "home")}, tmp_path)


def test_the_kinds_that_can_be_named_are_those_that_can_be_read() -> None:
    assert tuple(IMPORTERS) == kinds.IMPORTED.choices


def test_what_is_printed_is_a_good_configuration(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "tab").write_text(CRONTAB)

    said = shell("import", "crontab", "tab")

    (tmp_path / "claw.toml").write_text(said.out)
    shell("config", "validate", "-f", "claw.toml")
    assert list(tomllib.loads(said.out)["jobs"]) == ["echo", "cat"]
    assert [line.split(": ")[2:4] for line in said.err.splitlines()] == [
        ["tab:1", "MAILTO"], ["tab:6", "0 0 30 2 *"],
    ]  # fmt: skip
    assert "# ! tab:6: 0 0 30 2 *: left out" in said.out


def test_programs_read_the_same_as_json(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "tab").write_text(CRONTAB)

    found = shell("--json", "import", "crontab", "tab").json

    assert found["jobs"]["echo"]["env"] == {"GREETING": "hello there"}
    assert [note["line"] for note in found["notes"]] == [1, 6]
    assert tomllib.loads(found["toml"])["jobs"] == found["jobs"]


def test_it_reads_standard_input_and_folders(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "cron.d"
    folder.mkdir()
    (folder / "one").write_text("0 0 * * * root one\n")
    (folder / "two.bak").write_text("0 0 * * * root two\n")

    piped = shell.sh("echo '5 * * * * x y' | $CLAWCTL import crontab -")

    assert 'command = "x y"' in piped.out
    assert list(tomllib.loads(shell("import", "crontab", "cron.d").out)["jobs"]) == ["one"]


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        ("[Unit]\n", 2, "no line of a crontab"),
        ("0 0 30 2 * x\n", 1, "nothing in tab can be imported"),
        (None, 2, "tab cannot be read: No such file"),
    ],
)
def test_what_cannot_be_imported_is_told_in_one_line(
    shell: Shell, tmp_path: Path, text: str | None, status: int, says: str
) -> None:
    if text is not None:
        (tmp_path / "tab").write_text(text)

    said = shell("import", "crontab", "tab", status=status)

    assert says in said.err.splitlines()[-1]
    assert said.out == ""


def test_what_this_host_cannot_give_is_told_and_does_no_harm(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "a.conf").write_text(
        "[program:a]\ncommand=/bin/true\nuser=nobody-of-that-name\n"
        'environment=DB_PASSWORD="x",1=2\n'
    )

    said = shell("import", "supervisord", "a.conf")

    (job,) = tomllib.loads(said.out)["jobs"].values()
    assert job["enabled"] is False
    assert "user" not in job
    assert job["env"] == {"DB_PASSWORD": "x"}
    assert "there is no user" in said.err
    assert "looks like a secret" in said.err


@pytest.mark.parametrize(
    ("kind", "file", "text", "name"),
    [
        ("procfile", "Procfile", "web: run\n", "web"),
        ("pm2", "eco.json", "{apps: [{script: 'a.js'}]}", "a"),
        ("compose", "compose.yml", "services: {db: {image: x}}\n", "db"),
        ("process-compose", "p.yaml", "processes: {a: {command: b | c}}\n", "a"),
        ("procclaw", "b.yaml", "cmd: x\nschedule: '@daily'\nretry: {max_attempts: 3}\n", "b"),
        ("openclaw", "j.json", OPENCLAW, "i"),
        ("launchd", "a.plist", PLIST, "a.b"),
    ],
)  # fmt: skip
def test_each_kind_comes_out_as_a_good_configuration(
    shell: Shell, tmp_path: Path, kind: str, file: str, text: str, name: str
) -> None:
    (tmp_path / file).write_text(text)

    said = shell("import", kind, file)

    (tmp_path / "claw.toml").write_text(said.out)
    assert list(tomllib.loads(said.out)["jobs"]) == [name]
    shell("config", "validate", "-f", "claw.toml")


def test_added_jobs_run(start_master: StartMaster, tmp_path: Path) -> None:
    claw = start_master("")
    ctl = Shell(claw.environment, tmp_path)
    (tmp_path / "tab").write_text(CRONTAB)
    (tmp_path / "web.conf").write_text(
        "[program:web]\nnumprocs=2\nautorestart=false\nstopsignal=INT\n"
        'command=/bin/sh -c "echo no %(process_num)02d of %(ENV_PATH)s; exec sleep 600"\n'
    )
    (tmp_path / "unit.service").write_text(
        '[Service]\nEnvironment="A=a  b"\nExecStartPre=/bin/echo before\n'
        "ExecStart=/bin/echo ${A} $A $$A\n[Install]\nWantedBy=multi-user.target\n"
    )

    dry = ctl("import", "crontab", "tab", "--dry-run")
    assert dry.lines[-2:] == ["+ cat", "+ echo"]
    ctl("import", "crontab", "tab", "--apply")
    ctl("import", "supervisord", "web.conf", "--apply")
    ctl("import", "systemd", "unit.service", "--apply")

    run = ctl("run", "echo", "--wait").out.strip()
    assert ctl("logs", run).out == "hello there, 100%\n"
    run = ctl("run", "cat", "--wait").out.strip()
    assert ctl("logs", run).out == "from\nstandard input\n"
    claw.wait_state("web@2", "running")
    claw.wait_state("unit", "exited")
    assert ctl("logs", "unit").out == "before\na  b a b $A\n"
    origin = ctl("job", "show", "web", "--json").json["origin"]
    assert origin.rpartition("#")[0] == f"import:{tmp_path}/web.conf"
    ctl("stop", "web")


def test_what_has_changed_in_a_file_is_taken_in_but_over_nobodys_changes(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master('[jobs.hand]\ncommand = "true"\n')
    ctl, tab = Shell(claw.environment, tmp_path), tmp_path / "tab"
    tab.write_text("1 * * * * keep a\n2 * * * * touched a\n3 * * * * gone a\n")
    ctl("import", "crontab", "tab", "--apply")
    ctl("job", "set", "touched", "timeout=30s")
    tab.write_text("1 * * * * keep b\n2 * * * * touched b\n4 * * * * hand c\n5 * * * * new d\n")

    def command(name: str) -> str:
        shown: str = ctl("job", "show", name, "--json").json["command"]
        return shown

    said = ctl("import", "crontab", "tab", "--apply", status=1)
    assert "--apply --update" in said.fault
    assert command("keep") == "keep a"
    assert "--update needs --apply" in ctl("import", "crontab", "tab", "--update", status=2).err

    ctl("import", "crontab", "tab", "--dry-run", "--update")
    said = ctl("import", "crontab", "tab", "--apply", "--update")
    assert [command(name) for name in ("keep", "touched", "gone", "hand", "new")] == [
        "keep b", "touched a", "gone a", "true", "new d",
    ]  # fmt: skip
    left = [line.removeprefix("clawctl: warning: job ") for line in said.err.splitlines()]
    assert [line.partition(":")[0] for line in left] == ["touched", "hand", "gone"]
    assert left[0] == "touched: it was changed since it was imported: left as it is"
    assert "it is defined by hand in " in left[1]
    assert left[2] == "gone: it is in the file no longer: clawctl job remove gone"

    tab.write_text("1 * * * * keep c\n")
    ctl("import", "crontab", "tab", "--apply", "--update")
    assert command("keep") == "keep c", "what was updated can be updated again"


def test_a_line_that_has_not_changed_stays_one_job_whatever_stands_beside_it(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master("")
    ctl, tab = Shell(claw.environment, tmp_path), tmp_path / "tab"
    for lines in (["five", "four"], ["five"], ["six", "five"]):
        tab.write_text("".join(f"0 5 * * * echo {word}\n" for word in lines))
        ctl("import", "crontab", "tab", "--apply", "--update")

    listed = ctl("job", "list", "--json").json["jobs"]
    assert {job["name"]: job["command"] for job in listed} == {
        "echo-five": "echo five",
        "echo-four": "echo four",
        "echo-six": "echo six",
    }
    tab.write_text("0 5 * * * echo six\n")
    assert "echo-six" not in ctl("import", "crontab", "tab", "--apply").err
    assert len(ctl("job", "list", "--json").json["jobs"]) == 3


@pytest.mark.parametrize("kind", ["openclaw", "pm2"])
def test_a_file_nested_without_end_is_a_mistake_of_the_file(
    shell: Shell, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "deep.json").write_text("[" * 200_000)

    said = shell("import", kind, "deep.json", status=2)

    assert said.err == "clawctl: deep.json: nested too deeply to be read\n"
