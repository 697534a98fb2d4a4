"""From a job to its launch: the user that it runs as, and what follows that user."""

import pwd
from datetime import UTC, datetime
from typing import Any

import pytest
import trio

from claw.master.supervision import launches
from claw.master.supervision.launches import Surroundings
from claw.model.checks import Ready, ReadyType
from claw.model.home import Home
from claw.model.job import Daemon, Job, JobType, Log, Stderr, Stdin
from claw.model.retry import Retry
from claw.model.run import Origin, Run, State
from claw.wire.supervision import Launch

AT = datetime(2026, 1, 1, tzinfo=UTC)
HOME = Home(config="/h/c", state="/h/s", run="/h/r", log="/h/l", folder=None)
AROUND = Surroundings({"PATH": "/bin", "HOME": "/mine", "USER": "me", "TZ": "UTC"}, 0)
NOBODY = pwd.getpwnam("nobody")


def launch_of(around: Surroundings = AROUND, **changes: Any) -> Launch:
    job = Job(name="web", argv=("x",), **changes)
    run = Run(
        id="r1", job="web", state=State.CLAIMED, origin=Origin.MANUAL, origin_key="k",
        queued_at=AT, due_at=AT, sid="s1", attempt=1, env=(("B", "run"),),
    )  # fmt: skip
    outline = launches.Outline(job, HOME, Daemon(), trio.run(around.of, job))
    return Launch(**outline.values(run, {}))


def test_home_and_names_follow_the_user() -> None:
    launch = launch_of(user="nobody", inherit_env=("*",))

    assert {key: launch.env[key] for key in ("HOME", "USER", "LOGNAME", "SHELL")} == {
        "HOME": NOBODY.pw_dir, "USER": "nobody", "LOGNAME": "nobody", "SHELL": NOBODY.pw_shell,
    }  # fmt: skip
    assert (launch.cwd, launch.cwd_or_root) == (NOBODY.pw_dir, True)
    assert launch.identity is not None
    assert launch.identity[:2] == (NOBODY.pw_uid, NOBODY.pw_gid)
    assert NOBODY.pw_gid in launch.identity[2]


def test_a_group_takes_the_place_of_the_users_own() -> None:
    uid, gid, groups = launch_of(user="nobody", group="4").identity or (0, 0, [])

    assert (uid, gid) == (NOBODY.pw_uid, 4)
    assert 4 in groups
    assert NOBODY.pw_gid not in groups


def test_a_number_need_not_have_a_name() -> None:
    launch = launch_of(user="54321")

    assert launch.identity == (54321, 54321, [54321])
    assert launch.env["HOME"] == launch.cwd == "/"
    assert "USER" not in launch.env


def test_a_job_without_a_user_stays_what_claw_is() -> None:
    launch = launch_of(cwd="/srv")

    assert (launch.identity, launch.cwd, launch.cwd_or_root) == (None, "/srv", False)


@pytest.mark.parametrize("key", ["user", "group"])
def test_an_account_that_has_gone_since_is_told(key: str) -> None:
    with pytest.raises(LookupError, match=f"{key}: there is no {key} 'gone' any more"):
        launch_of(AROUND, **{key: "gone"})


def test_an_env_file_lies_between_what_is_inherited_and_what_is_said() -> None:
    launch = launch_of(env_file="e", cwd="/srv", env=(("A", "job"), ("B", "job")))

    assert launch.env_file == "/srv/e"
    assert launch.env_beneath["PATH"] == "/bin"
    assert launch.env_beneath["HOME"]
    assert launch.env["A"] == "job"
    assert launch.env["B"] == "run"
    assert launch.env["CLAW_RUN_ID"] == "r1"
    assert "PATH" not in launch.env


def test_a_launch_comes_back_as_it_was_sent() -> None:
    launch = launch_of(limits=(("core", -1, -1),), nice=3, stop_command=("a", "b"))

    back = Launch.decode(launch.encode())

    assert (back.limits, back.nice, back.commands) == (
        {"core": [-1, -1]}, 3, {"stop": ["a", "b"]},
    )  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"user": "nobody"},
        {"group": "nogroup"},
        {"tty": True},
        {"stdin": Stdin.OPEN},
        {"log": Log(stderr=Stderr.SEPARATE)},
        {"type": JobType.CONTINUOUS},
        {"ready": Ready(type=ReadyType.NOTIFY)},
        {"timeout_s": 5.0, "retry": Retry(delays_s=(1.0,), max_attempts=2)},
    ],
)
def test_a_job_and_its_launch_agree_on_whether_another_run_may_follow(
    changes: dict[str, Any],
) -> None:
    assert launch_of(**changes).is_plain == Job(name="web", argv=("x",), **changes).is_plain
