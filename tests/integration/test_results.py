"""What runs leave behind: results, output, last words; by ``clawctl``, and over crashes."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import users
from tests.kit.clawctl import Shell
from tests.kit.master import MasterUnderTest, master

LARGE = 70_000
JOBS = f"""
[jobs.value]
command = 'echo "{{\\"rows\\": 3}}" > "$CLAW_RESULT_FILE"; echo said; echo cried >&2'
log.stderr = "separate"
[jobs.raw]
command = 'eval "$1"'
[jobs.large]
command = 'head -c {LARGE} /dev/zero | tr "\\\\0" x; echo; echo the end; exit 3'
[jobs.quiet]
command = "true"
[jobs.held]
command = 'echo 1 > "$CLAW_RESULT_FILE"; echo out; until [ -e "$1" ]; do sleep 0.02; done'
"""


@pytest.fixture(name="claw", scope="module")
def _claw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    with master(tmp_path_factory.mktemp("results"), JOBS) as found:
        yield found


@pytest.fixture(name="ctl")
def _ctl(claw: MasterUnderTest) -> Shell:
    return shell(claw)


def shell(claw: MasterUnderTest) -> Shell:
    return Shell({"CLAW_HOME": os.fspath(claw.folder)})


def run(ctl: Shell, *words: str, status: int | None = 0) -> str:
    """Run a job to its end and return the run's id."""
    return ctl("run", *words, "--wait", status=status).out.strip()


def note_of(ctl: Shell, run_id: str) -> str:
    """Return the note about a run's result file."""
    events = ctl("events", "--type", "attempt.note", "--json").lines
    [found] = [one for one in map(json.loads, events) if one["run"] == run_id]
    return str(found["why"])


def test_a_result_is_shown_wherever_its_run_is(ctl: Shell) -> None:
    done = run(ctl, "value")
    assert ctl("runs", "show", done, "--json").json["result"] == {"rows": 3}
    assert '{"rows": 3}' in ctl("runs", "show", done).out
    assert ctl("runs", "list", "--job", "value", "--json").json["runs"][0]["result"]
    assert ctl("runs", "result", done).json == {"rows": 3}
    assert ctl("runs", "result", done, "--attempt", "1", "--json").json["result"]
    assert "has no result" in ctl("runs", "result", done, "--attempt", "2", status=4).fault
    assert "has no result" in ctl("runs", "result", run(ctl, "quiet"), status=4).fault


def test_nothing_is_left_of_a_run_in_the_folder_of_results(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    done = run(ctl, "value")
    own = Path(claw.home.own_results)
    claw.wait_until(lambda: not list(own.glob(f"{done}*")), "a folder without it")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ('ln -s /etc/hostname "$CLAW_RESULT_FILE"', "symbolic link"),
        ('mkfifo "$CLAW_RESULT_FILE"', "no regular file"),
        ('echo 1 > "$CLAW_RESULT_FILE"; ln "$CLAW_RESULT_FILE" "$CLAW_RESULT_FILE.2"', "names"),
        ('head -c 1048577 /dev/zero > "$CLAW_RESULT_FILE"', "larger"),
        ('echo no > "$CLAW_RESULT_FILE"', "no JSON"),
    ],
)
def test_what_is_no_result_is_a_note_on_the_run(ctl: Shell, script: str, why: str) -> None:
    done = run(ctl, "raw", "--arg", script)
    assert ctl("runs", "show", done, "--json").json["result"] is None
    assert why in note_of(ctl, done)


@pytest.mark.skipif(bool(users.why_alone()), reason=users.why_alone())
def test_a_run_of_another_user_has_a_folder_of_its_own() -> None:
    jobs = """
    [jobs.other]
    command = 'stat -c "%a %u" "${CLAW_RESULT_FILE%/*}"; echo 7 > "$CLAW_RESULT_FILE"'
    user = "nobody"
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with master(Path(folder), jobs) as claw:
            ctl = shell(claw)
            done = run(ctl, "other")
            assert ctl("runs", "result", done).json == 7
            assert f"700 {users.NOBODY}" in ctl("runs", "output", done).out
            jobs_folder = Path(claw.home.jobs)
            claw.wait_until(
                lambda: not [one for one in jobs_folder.iterdir() if one.name.startswith("r")],
                "a folder that is gone",
            )


def test_a_file_that_belongs_to_another_user_is_no_result(ctl: Shell) -> None:
    if users.why_alone():
        pytest.skip(users.why_alone())
    script = f'echo 1 > "$CLAW_RESULT_FILE"; chown {users.NOBODY} "$CLAW_RESULT_FILE"'
    done = run(ctl, "raw", "--arg", script)
    assert "another user" in note_of(ctl, done)


def test_short_output_is_shown_from_the_database_when_its_file_is_gone(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    done = run(ctl, "value")
    logs = Path(claw.home.job_log("value"))
    assert ctl("logs", done, "--json").json["source"] == "file"
    for file in logs.iterdir():
        file.unlink()
    reply = ctl("logs", done, "--json").json
    assert (reply["source"], reply["text"]) == ("database", "said\ncried\n")
    assert ctl("logs", "value").out == "said\ncried\n"
    assert ctl("logs", done, "--grep", "cri").out == "cried\n"
    assert ctl("logs", "value", "--since", "1h").out.endswith("said\ncried\n")
    assert ctl("logs", done, "-f").out == "said\ncried\n"
    assert ctl("runs", "logs", done, "--stderr").out == "cried\n"
    assert ctl("runs", "output", done, "--stdout").out == "said\n"
    parts = ctl("runs", "output", done, "--attempt", "1", "--json").json["parts"]
    assert [part["text"] for part in parts] == ["said\n", "cried\n"]


def test_large_output_stays_a_file_and_its_end_is_a_failed_runs_last_words(ctl: Shell) -> None:
    done = run(ctl, "large", status=3)
    shown = ctl("runs", "show", done, "--json").json
    [output] = shown["output"]
    assert (output["source"], output["size"]) == ("file", LARGE + 9)
    assert len(shown["excerpt"]) == 2000
    assert shown["excerpt"].startswith("...[truncated]\n")
    assert "the end" in ctl("runs", "show", done).out
    assert len(ctl("runs", "output", done).out) == LARGE + 9
    assert len(ctl("runs", "output", done, "--attempt", "1").out) == LARGE + 9


def test_waiting_for_a_run_is_also_found_among_the_commands_of_runs(ctl: Shell) -> None:
    done = run(ctl, "large", status=3)
    ctl("runs", "wait", done, status=3)


def test_what_ended_while_there_was_no_master_is_taken_in_by_the_next(
    claw: MasterUnderTest, ctl: Shell, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    held = ctl("run", "held", "--arg", str(go)).out.strip()
    ctl("wait", held, "--for", "running")
    result = Path(claw.home.own_results, f"{held}.1.json")
    claw.wait_until(lambda: result.exists() and result.read_text(), "a result file")
    claw.kill()
    go.touch()
    claw.start()
    ctl("wait", held)
    assert ctl("runs", "result", held).json == 1
    assert ctl("runs", "show", held, "--json").json["output"][0]["size"] == len("out\n")
    claw.wait_until(lambda: not result.exists(), "a result file that is gone")


def test_what_is_left_of_runs_that_are_over_is_swept_at_the_start(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    done = run(ctl, "quiet")
    left = Path(claw.home.own_results, f"{done}.1.json")
    left.write_text("1")
    junk = left.with_name("junk")
    junk.mkdir()
    claw.restart()
    claw.wait_until(lambda: not left.exists() and not junk.exists(), "a swept folder")


def test_a_killed_supervisors_successor_tells_what_the_run_has_left(
    ctl: Shell, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    held = ctl("run", "held", "--arg", str(go)).out.strip()
    ctl("wait", held, "--for", "running")
    pid = ctl("runs", "show", held, "--json").json["supervisor_pid"]
    os.kill(pid, 9)
    go.touch()
    ctl("wait", held)
    assert ctl("runs", "result", held).json == 1
    assert ctl("runs", "output", held).out == "out\n"
