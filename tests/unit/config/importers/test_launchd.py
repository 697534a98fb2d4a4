"""Property lists of launchd become jobs, be they XML or binary."""

import plistlib

import pytest

from claw.config.importers import launchd
from claw.config.importers.imported import Draft, Options
from claw.config.importers.sources import Source
from claw.errors import UsageError


def read(binary: bool = False, /, **keys: object) -> Draft:
    found = {"Label": "org.example.web", "ProgramArguments": ["/bin/web", "a b"], **keys}
    kind = plistlib.FMT_BINARY if binary else plistlib.FMT_XML
    raw = plistlib.dumps(found, fmt=kind, sort_keys=False)
    [job] = launchd.read([Source("web.plist", raw, "/")], Options()).jobs
    return job


def told(job: Draft) -> str:
    return "\n".join(note.as_line() for note in job.notes)


@pytest.mark.parametrize("binary", [False, True])
def test_what_is_kept_alive_is_a_service(binary: bool) -> None:
    job = read(binary, KeepAlive=True, RunAtLoad=True)

    assert job.name == "org.example.web"
    assert job.table == {
        "command": "/bin/web 'a b'",
        "type": "continuous",
        "restart": {"policy": "always", "delays": ["10s"]},
        "cwd": "/",
        "grace_period": "20s",
    }
    assert job.notes == []


@pytest.mark.parametrize(
    ("alive", "policy"),
    [({"SuccessfulExit": False}, "on-failure"), ({"Crashed": True}, "on-failure"),
     ({"NetworkState": True}, "always")],
)  # fmt: skip
def test_conditions_of_a_restart(alive: dict[str, object], policy: str) -> None:
    assert read(KeepAlive=alive).part("restart")["policy"] == policy


def test_times_are_cron_and_intervals_intervals() -> None:
    job = read(
        StartInterval=5400,
        StartCalendarInterval=[{"Hour": 3, "Minute": 30}, {"Weekday": 7, "Hour": 4}],
        RunAtLoad=True,
    )

    assert job.table["schedule"] == ["@every 1h30m", "30 3 * * *", "* 4 * * 7", "@reboot"]
    assert "type" not in job.table


def test_paths_that_are_watched_start_it() -> None:
    job = read(WatchPaths=["/srv/in"], KeepAlive={"PathState": {"/tmp/go": True}})

    assert job.table["watch"] == {"paths": ["/srv/in"]}
    assert "web.plist:" in told(job)


def test_what_it_runs_with() -> None:
    job = read(
        EnvironmentVariables={"A": "1"}, UserName="me", GroupName="us", Umask=23, Nice=5,
        ExitTimeOut=7, ThrottleInterval=3, KeepAlive=True, WorkingDirectory="/srv",
        SoftResourceLimits={"NumberOfFiles": 100, "Odd": 1},
        HardResourceLimits={"NumberOfFiles": 200}, StandardErrorPath="/dev/null",
        StandardOutPath="/var/log/x", Disabled=True, AbandonProcessGroup=True,
    )  # fmt: skip

    table = job.table
    assert (table["user"], table["group"], table["umask"]) == ("me", "us", "027")
    assert (table["nice"], table["grace_period"], table["cwd"]) == (5, "7s", "/srv")
    assert job.part("restart")["delays"] == ["3s"]
    assert table["limits"] == {"nofile": "100:200"}
    assert table["log"] == {"stderr": "discard"}
    assert (table["enabled"], table["kill_mode"]) == (False, "process")
    assert "Odd: left out" in told(job)
    assert "/var/log/x is not written" in told(job)


@pytest.mark.parametrize(
    "keys",
    [{"Sockets": {"L": {}}}, {"MachServices": {"x": True}}, {"EnableGlobbing": True},
     {"Frobnicate": 1}, {"LimitLoadToSessionType": "Aqua"}],
)  # fmt: skip
def test_what_has_no_like_is_told_with_its_line(keys: dict[str, object]) -> None:
    job = read(**keys)

    assert f": {next(iter(keys))}: left out" in told(job)
    assert "web.plist:12: " in told(job)


def test_nothing_begins_what_is_only_asked_for() -> None:
    job = read()

    assert job.table["type"] == "manual"
    assert "clawctl run" in told(job)


@pytest.mark.parametrize("raw", [b"hello", b"<plist></plist>", b"bplist00", plistlib.dumps({})])
def test_what_is_no_job_of_launchd_is_refused(raw: bytes) -> None:
    with pytest.raises(UsageError, match=r"is no (property list|job of launchd)"):
        launchd.read([Source("x.plist", raw, "/")], Options())
