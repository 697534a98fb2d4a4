"""Units of systemd become jobs: what each key means, and what of it is told."""

from pathlib import Path

import pytest

from claw.config.importers import systemd
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.sources import Source
from claw.errors import UsageError


def read(folder: str = "/units", **units: str) -> Harvest:
    """Read units, named without the dot: ``web_service``."""
    sources = [
        Source(name.replace("_at_", "@").replace("_", "."), text.encode(), folder)
        for name, text in units.items()
    ]
    return systemd.read(sources, Options())


def service(text: str, more: str = "[Install]\nWantedBy=multi-user.target\n") -> Draft:
    [job] = read(web_service=f"{more}[Service]\n{text}").jobs
    return job


def told(job: Draft) -> str:
    return "\n".join(note.as_line() for note in job.notes)


def test_a_plain_service_runs_always_as_systemd_would() -> None:
    job = service("ExecStart=/bin/web --port 80\nRestart=always\nRestartSec=2s\n")

    assert job.table == {
        "type": "continuous",
        "command": "/bin/web --port 80",
        "cwd": "/",
        "grace_period": "1m30s",
        "restart": {
            "policy": "always", "delays": ["2s"], "start_limit": 5, "start_limit_window": "10s",
        },
    }  # fmt: skip
    assert job.notes == []


def test_variables_are_the_shells_and_a_word_alone_may_be_several() -> None:
    job = service('ExecStart=/bin/web --a=${A} $B "c d" ${C} $$5\n')

    assert job.table["command"] == "exec /bin/web \"--a=${A}\" ${B} 'c d' \"${C}\" '$5'"


def test_lines_go_on_after_a_backslash_comments_between_them_are_none() -> None:
    job = service("ExecStart=/bin/web \\\n# no\n  --x \\\n  --y\n")

    assert job.table["command"] == "/bin/web --x --y"


def test_what_comes_before_runs_in_the_same_shell() -> None:
    job = service("ExecStartPre=-/bin/a b\nExecStartPre=+/bin/root\nExecStartPre=/bin/c\n"
                  "ExecStart=/bin/web\n")  # fmt: skip

    assert job.table["command"] == "{ /bin/a b || true; } &&\n/bin/c &&\nexec /bin/web"
    assert "web.service:5: ExecStartPre: left out" in told(job)


def test_an_empty_assignment_takes_back_what_was_said() -> None:
    job = service("ExecStart=/bin/old\nExecStart=\nExecStart=/bin/new\n")

    assert job.table["command"] == "/bin/new"


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("/bin/kill -HUP $MAINPID", "reload_signal", None),
        ("/bin/kill -s USR2 $MAINPID", "reload_signal", "USR2"),
        ("/bin/web -s reload", "reload_command", "/bin/web -s reload"),
        ("/bin/web --pid $MAINPID", "reload_command", "/bin/web --pid ${MAINPID}"),
    ],
)
def test_how_it_is_reloaded(line: str, key: str, value: str | None) -> None:
    assert service(f"ExecStart=/x\nExecReload={line}\n").table.get(key) == value


def test_environment_is_read_as_systemd_quotes_it() -> None:
    job = service('ExecStart=/x\nEnvironment=A=1 "B=two three" C=\\x41%%\nPassEnvironment=D E\n'
                  "EnvironmentFile=-/etc/default/x\nEnvironmentFile=/etc/y\n")  # fmt: skip

    assert job.table["env"] == {"A": "1", "B": "two three", "C": "A%"}
    assert job.table["inherit_env"] == ["PATH", "LANG", "TZ", "D", "E"]
    assert job.table["env_file"] == "/etc/default/x"
    assert "may be missing" in told(job)
    assert "/etc/y: left out" in told(job)


def test_limits_and_resources() -> None:
    job = service(
        "ExecStart=/x\nLimitNOFILE=1024:2048\nLimitCORE=infinity\nNice=5\nUMask=0077\n"
        "OOMScoreAdjust=-500\nNoNewPrivileges=yes\nMemoryMax=512M\nCPUQuota=150%\nTasksMax=99\n"
    )

    assert job.table["limits"] == {"core": "unlimited", "nofile": "1024:2048"}
    assert job.table["resources"] == {
        "memory": "512M", "cpu": 1.5, "action": "throttle", "pids": 99,
    }  # fmt: skip
    assert (job.table["nice"], job.table["umask"]) == (5, "0077")
    assert (job.table["oom_score_adj"], job.table["no_new_privs"]) == (-500, True)


def test_readiness_and_watchdog_speak_the_same_protocol() -> None:
    job = service("Type=notify\nExecStart=/x\nTimeoutStartSec=infinity\nWatchdogSec=30\n")

    assert job.table["ready"] == {"type": "notify", "timeout": "0"}
    assert job.table["health"] == {"type": "process", "watchdog": "30s"}


@pytest.mark.parametrize("line", ["Type=forking", "DynamicUser=yes"])
def test_what_would_not_run_rightly_is_disabled_and_told(line: str) -> None:
    job = service(f"ExecStart=/x\n{line}\n")

    assert job.table["enabled"] is False
    assert line.partition("=")[0] in told(job)


def test_each_key_that_has_no_like_is_named() -> None:
    job = service("ExecStart=/x\nProtectSystem=full\nStateDirectory=x\nExecStopPost=/y\n"
                  "IOWeight=1\nFrobnicate=2\nRestartPreventExitStatus=3\n")  # fmt: skip

    for key in ("ProtectSystem", "StateDirectory", "ExecStopPost", "IOWeight", "Frobnicate",
                "RestartPreventExitStatus"):  # fmt: skip
        assert key in told(job)


def test_a_service_with_its_timer_is_one_job() -> None:
    found = read(
        backup_service="[Service]\nType=oneshot\nExecStart=/bin/backup\n",
        backup_timer="[Timer]\nOnCalendar=Mon..Fri 02:30\nPersistent=true\n"
        "RandomizedDelaySec=10min\nAccuracySec=1h\n",
    )

    [job] = found.jobs
    assert job.table["schedule"] == "30 2 * * MON-FRI"
    assert job.table["jitter"] == "10m"
    assert "catch_up" not in job.table
    assert "type" not in job.table
    assert "AccuracySec" in told(job)


def test_a_timer_finds_its_service_beside_it(tmp_path: Path) -> None:
    (tmp_path / "b.service").write_text("[Service]\nExecStart=/bin/b\n")

    [job] = read(str(tmp_path), b_timer="[Timer]\nOnUnitActiveSec=90min\nOnBootSec=5min\n").jobs

    assert job.table["command"] == "/bin/b"
    assert job.table["schedule"] == "@every 1h30m"
    assert "OnBootSec: 5min: left out" in told(job)


def test_a_timer_alone_asks_systemd() -> None:
    [job] = read(trim_timer="[Timer]\nOnCalendar=weekly\n").jobs

    assert job.table["command"] == "systemctl start trim.service"
    assert (job.table["schedule"], job.table["catch_up"]) == ("0 0 * * MON", "none")
    assert "asks systemd" in told(job)


def test_a_service_that_runs_once_at_boot() -> None:
    job = service("Type=oneshot\nExecStart=/bin/a\nExecStart=/bin/b\nRemainAfterExit=yes\n")

    assert job.table["schedule"] == "@reboot"
    assert job.table["command"] == "/bin/a &&\nexec /bin/b"
    assert "RemainAfterExit" in told(job)


def test_what_is_imported_together_waits_for_each_other() -> None:
    found = read(
        db_service="[Service]\nExecStart=/db\n",
        web_service="[Unit]\nRequires=db.service\nAfter=db.service network.target\n"
        "[Service]\nExecStart=/web\n",
    )

    web = found.jobs[1]
    assert web.table["depends_on"] == ["db"]
    assert "network.target: no jobs of claw" in told(web)


def test_a_template_is_disabled_and_an_instance_is_not() -> None:
    text = "[Service]\nUser=%i\nExecStart=/bin/x %I %p %n\n[Install]\nWantedBy=a\n"

    [template] = read(x_at__service=text).jobs
    [instance] = read(**{"x_at_a-b_service": text}).jobs

    assert template.table["enabled"] is False
    assert "x@NAME.service" in told(template)
    assert instance.table["command"] == "/bin/x a/b x x@a-b.service"
    assert instance.table["user"] == "a-b"


def test_the_template_of_an_instance_is_found(tmp_path: Path) -> None:
    (tmp_path / "x@.service").write_text("[Service]\nExecStart=/x %i\n")

    found = systemd.find_instance(f"{tmp_path}/x@7.service", "/")

    assert found is not None
    assert systemd.read([found], Options()).jobs[0].table["command"] == "/x 7"
    assert systemd.find_instance(f"{tmp_path}/y@7.service", "/") is None


def test_drop_ins_beside_the_unit_count(tmp_path: Path) -> None:
    (tmp_path / "web.service.d").mkdir()
    (tmp_path / "web.service.d" / "more.conf").write_text("[Service]\nEnvironment=A=2\n")

    [job] = read(str(tmp_path), web_service="[Service]\nExecStart=/x\nEnvironment=A=1\n").jobs

    assert job.table["env"] == {"A": "2"}


def test_what_is_no_unit_is_refused() -> None:
    with pytest.raises(UsageError, match="is no unit of systemd"):
        read(web_service="hello\n")


def test_only_a_bare_semicolon_stands_between_commands() -> None:
    job = service('ExecStart=/bin/sh -c "while true; do foo ; sleep 1 ; done"\n')
    several = service("Type=oneshot\nExecStart=/bin/a ';' ; /bin/b \\; ;\n")

    assert job.table["command"] == "/bin/sh -c 'while true; do foo ; sleep 1 ; done'"
    assert job.notes == []
    assert several.table["command"] == "/bin/a ';' &&\nexec /bin/b ';'"


def test_a_program_that_is_to_see_another_name_of_its_own_is_told_of() -> None:
    job = service("ExecStart=@/bin/sleep argv0 100\n")

    assert job.table["command"] == "/bin/sleep 100"
    assert "ExecStart: @: left out: claw runs /bin/sleep by its own name, and not as" in told(
        job
    )
    assert "argv0" in told(job)


def test_what_an_instance_is_called_is_one_word() -> None:
    [job] = read(web_at_a="[Service]\nEnvironment=X=%I\nExecStart=/bin/web %I\n").jobs
    [odd] = systemd.read(
        [Source("web@a\\x20b.service", b"[Service]\nEnvironment=X=%I\nExecStart=/bin/web %I\n",
                "/units")], Options()
    ).jobs  # fmt: skip

    assert job.table["command"] == "/bin/web a"
    assert odd.table["command"] == "/bin/web 'a b'"
    assert odd.table["env"] == {"X": "a b"}


def test_a_last_line_that_would_go_on_counts() -> None:
    job = service("ExecStart=/bin/web\nEnvironment=LAST=1 \\")

    assert job.table["env"] == {"LAST": "1"}


def test_of_two_services_of_one_name_the_second_is_told_of() -> None:
    sources = [
        Source(f"{one}/web.service", f"[Service]\nExecStart=/bin/{one}".encode(), f"/{one}")
        for one in ("a", "b")
    ]
    found = systemd.read(sources, Options())

    assert [job.table["command"] for job in found.jobs] == ["/bin/a"]
    assert (
        "b/web.service: web.service: left out: a/web.service has the same name; import the"
        in ("\n".join(note.as_line() for note in found.notes))
    )


@pytest.mark.parametrize(("mask", "own"), [("7", "007"), ("77", "077"), ("00027", "0027")])
def test_a_mask_of_any_length_holds(mask: str, own: str) -> None:
    assert service(f"ExecStart=/x\nUMask={mask}\n").table["umask"] == own


def test_what_is_no_number_is_told() -> None:
    lines = told(
        service("ExecStart=/x\nNice=+ 5\nCPUQuota=50.5 %\nUMask=8\nOOMScoreAdjust=x\n")
    )

    assert [key for key in ("Nice", "CPUQuota", "UMask", "OOMScoreAdjust") if key in lines] == [
        "Nice", "CPUQuota", "UMask", "OOMScoreAdjust",
    ]  # fmt: skip
