"""Roles tried by real second users, whom the kernel tells apart, with ``clawctl``."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import users
from tests.kit.master import MasterUnderTest, master

VIEWER, OPERATOR, ADMIN, STRANGER = 91001, 91002, 91003, 91004
OPERATORS = 92002
CONFIG = f"""
[control.roles]
viewer = {{ users = ["{VIEWER}"] }}
operator = {{ groups = ["{OPERATORS}"] }}
admin = {{ users = ["{ADMIN}"] }}
[jobs.web]
type = "continuous"
command = "sleep 1000"
env = {{ PASSWORD = "hunter2" }}
autostart = false
[jobs.who]
argv = ["sh", "-c", "id -u; echo region $REGION; echo arg $1", "sh"]
params = ["REGION"]
[jobs.gated]
command = "true"
approval = {{ by = ["{VIEWER}"] }}
"""

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(bool(users.why_no_clawctl()), reason=users.why_no_clawctl() or "-"),
]


@pytest.fixture(name="claw", scope="module")
def _claw() -> Iterator[MasterUnderTest]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with master(Path(folder) / "home", CONFIG) as claw:
            (Path(folder) / "home").chmod(0o755)
            yield claw


class Person:
    """Somebody at a shell."""

    def __init__(self, claw: MasterUnderTest, uid: int, *groups: int) -> None:
        self._claw, self._uid, self._groups = claw, uid, groups

    def __call__(self, *words: str, status: int = 0) -> str:
        """Type a command line; return what it has said, its error if that is why it ended."""
        environ = {"CLAW_HOME": str(self._claw.folder)}
        said = users.clawctl(
            self._uid, words, groups=self._groups, environ=environ, status=status
        )
        return said.out if status == 0 else said.fault


def test_who_has_no_role_is_refused_in_one_line_with_exit_status_5(
    claw: MasterUnderTest,
) -> None:
    stranger = Person(claw, STRANGER)

    for words in (("status",), ("stop", "web"), ("status", "-v"), ("events",), ("plan",)):
        said = stranger(*words, status=5)
        assert said.startswith(f"clawctl: uid {STRANGER} may not use the master of root: ")
    assert '"method":"connect"' in Path(claw.home.audit_log).read_text()


def test_a_viewer_looks_and_changes_nothing(claw: MasterUnderTest) -> None:
    viewer = Person(claw, VIEWER)

    assert "web" in viewer("status")
    shown = viewer("job", "show", "web")
    assert "PASSWORD" in shown
    assert "hunter2" not in shown
    assert "hunter2" not in viewer("job", "show", "web", "--json")
    for words in (("stop", "web"), ("run", "who"), ("run", "--", "id"), ("reload",)):
        said = viewer(*words, status=5)
        assert f"needs the role {'admin' if words == ('reload',) else 'operator'}" in said
        assert f"uid {VIEWER} is viewer" in said


def test_an_operator_starts_and_stops_and_changes_no_configuration(
    claw: MasterUnderTest,
) -> None:
    operator = Person(claw, OPERATOR, OPERATORS)

    operator("start", "web")
    operator("stop", "web")
    for words in (
        ("job", "add", "x", "--", "id"),
        ("job", "set", "web", "user=root"),
        ("disable", "web"),
        ("reload",),
        ("daemon", "stop"),
        ("attach", "web"),
        ("job", "purge", "web", "--force"),
    ):
        assert "needs the role admin" in operator(*words, status=5), words
    lines = [json.loads(one) for one in Path(claw.home.audit_log).read_text().splitlines()]
    mine = {(one["method"], one["outcome"]) for one in lines if one["uid"] == OPERATOR}
    assert {("job.start", "ok"), ("job.stop", "ok"), ("daemon.stop", "denied")} <= mine


def test_an_operator_runs_jobs_with_no_more_than_they_allow(claw: MasterUnderTest) -> None:
    operator = Person(claw, OPERATOR, OPERATORS)

    run = operator("run", "who", "--env", "REGION=eu").strip()
    assert claw.ended(run)["state"] == "succeeded"
    assert claw.output(f"who/{run}.out").decode().split() == ["0", "region", "eu", "arg"]
    for words, what in (
        (("--env", "LD_PRELOAD=/tmp/evil.so"), "LD_PRELOAD"),
        (("--env", "PATH=/tmp/evil"), "PATH"),
        (("--env", "REGION=eu", "--env", "BASH_ENV=/tmp/evil"), "BASH_ENV"),
        (("--arg=--evil",), "arguments"),
    ):
        said = operator("run", "who", *words, status=5)
        assert f"an operator may not give job 'who' {what}: its params allow REGION" in said


def test_an_operators_own_commands_run_as_the_operator(claw: MasterUnderTest) -> None:
    operator = Person(claw, OPERATOR, OPERATORS)

    operator("run", "--wait", "--name", "whoami", "--", "id")

    [run] = list(claw.call("run.list", transient=True)["runs"])
    said = claw.output(f"whoami/{run['id']}.out").decode()
    assert said.startswith(f"uid={OPERATOR} gid={OPERATOR} groups={OPERATOR},{OPERATORS}\n")
    assert "to run as root needs the role admin" in operator(
        "run", "--user", "root", "--", "id", status=5
    )


def test_an_admin_may_what_root_may(claw: MasterUnderTest) -> None:
    admin = Person(claw, ADMIN)

    admin("job", "set", "web", "description=mine")
    run = admin("run", "who", "--env", "OTHER=x", "--arg", "y").strip()
    assert claw.ended(run)["state"] == "succeeded"
    assert "arg y" in claw.output(f"who/{run}.out").decode()


def test_a_viewer_whose_word_a_run_needs_may_give_it(claw: MasterUnderTest) -> None:
    run = Person(claw, OPERATOR, OPERATORS)("run", "gated").strip()

    assert run[:6] in Person(claw, VIEWER)("approvals", "list", "--json")
    Person(claw, VIEWER)("approve", run)

    assert claw.ended(run)["state"] == "succeeded"


def test_what_is_not_for_others_stays_closed_to_them(claw: MasterUnderTest) -> None:
    modes = {
        name: (claw.folder / name).stat().st_mode & 0o777
        for name in ("state", "log", "run", "run/control.sock")
    }

    assert modes == {"state": 0o700, "log": 0o700, "run": 0o755, "run/control.sock": 0o666}
    sockets = list((claw.folder / "run").glob("forkserver-*.sock"))
    assert [one.stat().st_mode & 0o077 for one in sockets] == [0] * len(sockets)
