"""``clawctl shell`` from a pipe, as a login shell, and as a person types into it."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kit.clawctl import ROOT, Shell, command_line
from tests.kit.master import MasterUnderTest, master
from tests.kit.tmux import Open, Tmux, needs_tmux, windows

CONFIG = """
[jobs.web]
type = "continuous"
command = "echo listening; while :; do sleep 0.2; done"
[jobs.one]
command = "echo done"
[jobs.bad]
command = "exit 3"
"""


@pytest.fixture(name="shared", scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    with master(tmp_path_factory.mktemp("shell") / "home", CONFIG) as one:
        one.wait_state("web", "running")
        yield one


@pytest.fixture(name="open_shell")
def _open_shell(shared: MasterUnderTest, tmp_path: Path) -> Iterator[Open]:
    with windows("shell", environ=shared.environment, state=tmp_path) as open_:

        def show(*words: str, **environ: str) -> Tmux:
            window = open_(*words, **environ)
            window.see("3 jobs")
            return window

        yield show


def piped(shared: MasterUnderTest, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command_line(("shell", *words)),
        cwd=ROOT,
        env=shared.environment,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# -- lines from a pipe -------------------------------------------------------------------------


def test_lines_are_carried_out_in_turn_also_after_one_that_fails(
    shared: MasterUnderTest,
) -> None:
    done = piped(shared, "# what is there\nnosuch\nclawctl run one \\\n  --wait\nversion\n")

    assert done.returncode == 0
    assert "there is no command 'nosuch'" in done.stderr
    assert len(done.stdout.splitlines()) == 2


def test_the_exit_status_is_that_of_the_last_line_or_what_exit_says(
    shared: MasterUnderTest,
) -> None:
    assert piped(shared, "status\nrun bad --wait").returncode == 3
    assert piped(shared, "nosuch\nexit 7\nstatus\n").returncode == 7
    assert piped(shared, "exit 7 8\n").returncode == 2
    assert piped(shared, "").returncode == 0


def test_a_line_that_never_ends_is_told(shared: MasterUnderTest) -> None:
    done = piped(shared, "status 'web\n")

    assert (done.returncode, done.stderr) == (2, "clawctl: a closing ' is missing\n")


def test_programs_are_run_in_between(shared: MasterUnderTest) -> None:
    done = piped(shared, "!echo hello; exit 4\n")

    assert (done.returncode, done.stdout) == (4, "hello\n")


def test_one_line_is_carried_out_as_a_login_shell_is_asked_to(
    shared: MasterUnderTest,
) -> None:
    ctl = Shell(shared.environment)

    assert [one["name"] for one in ctl("shell", "-c", "status web --json").json["jobs"]] == [
        "web"
    ]
    assert "no job" in ctl("shell", "-c", "status nosuch", status=4).fault
    assert "--json" in ctl("shell", "--json", status=2).fault


@pytest.mark.parametrize(
    "line",
    [
        "!id", "run -- id", "job edit web", "up", "import crontab /etc/crontab", "api hello",
        "--home /tmp status", "shell", "daemon restart", "attach web",
        "incident web -o f", "events --cursor-file f", "emit a.b --data @/etc/passwd",
        "run one --each /etc/passwd", "config validate -f /etc/passwd", "backup create --to /x",
    ],
)  # fmt: skip
def test_who_is_kept_to_claw_has_no_way_out(shared: MasterUnderTest, line: str) -> None:
    done = piped(shared, f"{line}\n", "--restricted")

    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("line", ["shell", "--home /tmp shell", "-H a shell"])
def test_no_shell_begins_in_the_shell(shared: MasterUnderTest, line: str) -> None:
    done = piped(shared, f"{line}\n")

    assert done.returncode == 2
    assert "this is the shell" in done.stderr


def test_who_is_kept_to_claw_can_do_the_rest(shared: MasterUnderTest) -> None:
    done = piped(shared, "run one --wait\nstatus one\n", "--restricted")

    assert (done.returncode, done.stderr) == (0, "")


def test_the_script_for_login_shells_keeps_to_claw(shared: MasterUnderTest) -> None:
    bare = Path(command_line(("shell",))[0]).parent
    environ = {**shared.environment, "PATH": f"{bare}:{os.environ['PATH']}"}
    script = str(ROOT / "contrib" / "shell" / "claw-login")

    def login(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [script, "-c", line],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert "web" in login("status").stdout
    assert login("!id").returncode == 2


# -- at a prompt -------------------------------------------------------------------------------


@needs_tmux
def test_what_is_typed_is_completed_done_and_followed_by_what_happens(open_shell: Open) -> None:
    shell = open_shell()
    shell.type("sto")
    shell.keys("Tab")
    shell.see("> stop")
    shell.type("we")
    shell.keys("Tab")
    shell.see("> stop web")
    shell.keys("Enter")

    shell.until(
        lambda lines: any(re.search(r":\d\d web \w+ run.canceled", one) for one in lines),
        "event of the job",
    )
    shell.see("0 running")
    shell.type("start web")
    shell.keys("Enter")
    shell.see("run.running")
    shell.keys("C-d")
    shell.see("EXIT 0")


@needs_tmux
def test_a_line_goes_on_and_is_found_again(open_shell: Open) -> None:
    shell = open_shell()
    shell.type("run \\")
    shell.keys("Enter")
    shell.see("...")
    shell.type("one --wait")
    shell.keys("Enter")
    shell.see("run.succeeded")
    shell.keys("C-r")
    shell.type("--wait")
    shell.see("search")
    shell.keys("C-c")
    shell.type("exit 5")
    shell.keys("Enter")
    shell.see("EXIT 5")


@needs_tmux
def test_interrupts_end_what_follows_and_not_the_shell(open_shell: Open) -> None:
    shell = open_shell()
    shell.type("logs web -f")
    shell.keys("Enter")
    shell.see("listening")
    shell.keys("C-c")
    shell.type("version")
    shell.keys("Enter")
    shell.see("0.1.0")
    shell.type("exit")
    shell.keys("Enter")
    shell.see("EXIT 0")


@needs_tmux
def test_a_daemon_that_goes_is_told_and_waited_for(
    start_master: Callable[[str], MasterUnderTest], tmp_path: Path
) -> None:
    one = start_master(CONFIG)
    with windows("shell", environ=one.environment, state=tmp_path) as open_:
        shell = open_()
        shell.see("3 jobs")
        one.kill()
        shell.see("no daemon answers")
        one.start()
        shell.see("3 jobs")

    kept = tmp_path / "claw" / "history"
    assert kept.stat().st_mode & 0o777 == 0o600


# -- status, again and again -------------------------------------------------------------------


def test_watched_jobs_are_shown_again_when_something_happens(shared: MasterUnderTest) -> None:
    ctl = Shell(shared.environment)

    with ctl.begin("status", "one", "--watch") as watched:
        watched.wait_text("NAME")
        ctl("run", "one", "--wait")
        watched.wait_text("succeeded")
        watched.interrupt()
        assert watched.end(status=130).err == ""
    with ctl.begin("status", "one", "--watch", "--json") as watched:
        [job] = json.loads(watched.wait_text('"one"'))["jobs"]
        watched.interrupt()
        watched.end(status=130)

    assert job["name"] == "one"
