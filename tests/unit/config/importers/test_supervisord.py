"""Programs of supervisord become services: what each key means, and what of it is told."""

from pathlib import Path

import pytest

from claw.config.importers import supervisord
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.sources import Source
from claw.errors import UsageError


def read(text: str, folder: str = "/srv/site", **environ: str) -> Harvest:
    source = Source("site.conf", text.encode(), folder)
    return supervisord.read([source], Options(environ=environ))


def only(text: str, **environ: str) -> Draft:
    [job] = read(f"[program:web]\n{text}", **environ).jobs
    return job


def told(job: Draft) -> str:
    return "\n".join(note.as_line() for note in job.notes)


def test_a_percent_sign_is_written_twice() -> None:
    job = only("command=bash -c \"echo '%%h'\" ; a comment\n")

    assert job.table["command"] == "bash -c 'echo '\"'\"'%h'\"'\"''"


def test_what_is_known_is_filled_in() -> None:
    job = only("command=%(here)s/run %(program_name)s %(group_name)s %(process_num)02d\n")

    assert job.table["command"] == "/srv/site/run web web 00"


def test_variables_of_supervisords_environment_become_the_shells() -> None:
    job = only('command=serve --delay="%(ENV_DELAY)s" %(ENV_MORE)s $HOME\n')

    assert job.table["command"] == "exec serve \"--delay=${DELAY}\" ${MORE} '$HOME'"
    assert job.table["inherit_env"] == ["PATH", "LANG", "TZ", "DELAY", "MORE"]
    assert "site.conf:2: command: DELAY, MORE" in told(job)


def test_copies_are_instances_that_count_from_one() -> None:
    job = only(
        "command=serve --no %(process_num)d\nnumprocs=3\n"
        "process_name=%(program_name)s_%(process_num)02d\n"
    )

    assert job.table["instances"] == 3
    assert job.table["command"] == "exec serve --no $((CLAW_INSTANCE-1))"
    assert job.notes == []


def test_a_number_that_only_supervisord_would_know_is_told() -> None:
    text = "command=x\nnumprocs=%(ENV_COUNT)s\n"

    assert only(text, COUNT="4").table["instances"] == 4
    unknown = only(text)
    assert unknown.table["enabled"] is False
    assert "%(ENV_COUNT)s is not known here" in told(unknown)


@pytest.mark.parametrize(
    ("said", "policy"),
    [("", "on-failure"), ("unexpected", "on-failure"), ("true", "always"), ("false", "never")],
)
def test_when_it_is_restarted(said: str, policy: str) -> None:
    job = only(f"command=x\n{f'autorestart={said}' if said else ''}\nexitcodes=0,2\n")

    assert job.part("restart")["policy"] == policy
    assert job.table["success_codes"] == [0, 2]


def test_starts_that_fail_are_counted_as_supervisord_counts_them() -> None:
    restart = only("command=x\nstartretries=2\nstartsecs=5\n").part("restart")

    assert restart == {
        "policy": "on-failure",
        "delays": ["1s", "2s"],
        "reset_after": "5s",
        "start_limit": 3,
        "start_limit_window": "13s",
    }


def test_priorities_become_an_order_among_what_starts_by_itself() -> None:
    found = read(
        "[program:a]\ncommand=a\npriority=1\n[program:off]\ncommand=o\npriority=2\n"
        "autostart=false\n[program:once]\ncommand=o\npriority=2\nautorestart=false\n"
        "[program:b]\ncommand=b\npriority=3\n[program:last]\ncommand=l\n"
    )

    needs = {job.name: job.table.get("depends_on") for job in found.jobs}
    assert needs == {"a": None, "off": None, "once": ["a"], "b": ["a"], "last": None}


def test_a_group_is_a_tag_and_its_priority_counts() -> None:
    found = read(
        "[program:a]\ncommand=a\npriority=1\n[program:b]\ncommand=b\npriority=1\n"
        "[group:tower]\nprograms=b\npriority=5\n"
    )

    assert found.jobs[1].table["tags"] == ["tower"]
    assert found.jobs[1].table["depends_on"] == ["a"]


def test_environment_of_the_daemon_and_of_the_program() -> None:
    [job] = read(
        '[supervisord]\nenvironment=A=1,B="two, three"\numask=027\n'
        "[program:x]\ncommand=x\nenvironment=B='%(program_name)s',C=\"a%%b\"\n"
    ).jobs

    assert job.table["env"] == {"A": "1", "B": "x", "C": "a%b"}
    assert job.table["umask"] == "027"


def test_where_output_goes() -> None:
    to_stdout = only("command=x\nstdout_logfile=/dev/fd/1\nstderr_logfile=/dev/fd/2\n")
    apart = only("command=x\nstdout_logfile=/v/o\nstderr_logfile=/v/e\n"
                 "stdout_logfile_maxbytes=5MB\nstdout_logfile_backups=7\n")  # fmt: skip
    none = only("command=x\nstderr_logfile=NONE\n")

    assert to_stdout.table["log"] == {"to": ["stdout"]}
    assert apart.table["log"] == {"stderr": "separate", "max_size": "5M", "keep": 7}
    assert "/v/o is not written" in told(apart)
    assert none.table["log"] == {"stderr": "discard"}


def test_the_socket_of_a_fastcgi_program_is_claws_to_open() -> None:
    [job] = read("[fcgi-program:app]\nsocket=unix:///run/app.sock\nsocket_mode=0700\n"
                 "command=app --fd 0\n").jobs  # fmt: skip

    assert job.table["sockets"] == {"fcgi": {"address": "unix:/run/app.sock", "mode": "0700"}}
    assert job.table["command"] == "exec app --fd 0 <&3"


def test_what_has_no_like_is_told() -> None:
    found = read(
        "[supervisord]\nautorestart=true\n[program:x]\ncommand=x\nplugin_key=1\n"
        "[eventlistener:l]\ncommand=l\nevents=TICK_60\n[unix_http_server]\nfile=/x\n"
    )

    lines = [note.as_line() for note in found.all_notes()]
    assert [line.partition(": ")[0] for line in lines] == [
        "site.conf:2", "site.conf:5", "site.conf:6", "site.conf:9",
    ]  # fmt: skip


def test_a_template_is_told_line_by_line_and_disabled() -> None:
    found = read("[program:x]\n{% if a %}\ncommand={{ cmd }}\n{% endif %}\n")

    assert found.jobs[0].table["enabled"] is False
    assert [note.line for note in found.notes] == [2, 4]


def test_included_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.conf").write_text("[program:a]\ncommand=%(here)s/a\n")

    found = read("[include]\nfiles = conf.d/*.conf gone.conf\n", str(tmp_path))

    assert [job.table["command"] for job in found.jobs] == [f"{tmp_path}/conf.d/a"]
    assert "gone.conf" in found.notes[0].text


def test_a_name_with_other_letters_is_kept_for_people() -> None:
    [job] = read("[program:test_öäü]\ncommand=/bin/cat\n").jobs

    assert (job.name, job.table["name"]) == ("test_oau", "test_öäü")


def test_what_is_no_such_file_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no section like \[program:NAME\]"):
        read("0 0 * * * x\n")


def test_a_variable_of_the_environment_has_a_plain_name() -> None:
    [job] = read("[program:x]\ncommand=/bin/x %(ENV_a:-`id`)s\n").jobs

    assert job.table["enabled"] is False
    assert "${a" not in str(job.table["command"])


def test_a_percent_sign_that_is_escaped_begins_no_expansion() -> None:
    [job] = read("[program:x]\ncommand=/bin/x %%(here)s\n").jobs

    assert "enabled" not in job.table
    assert "%(here)s" in str(job.table["command"])


def test_a_program_that_a_group_names_and_that_is_not_there_is_told() -> None:
    found = read("[program:x]\ncommand=x\n[group:g]\nprograms=x,nosuch\n")

    assert [note.text for note in found.notes] == ["nosuch: left out: there is no such program"]


def test_a_file_that_includes_itself_is_read_once(tmp_path: Path) -> None:
    text = f"[include]\nfiles=sv {tmp_path}/./sv\n[program:x]\ncommand=x\n"
    (tmp_path / "sv").write_text(text)

    found = supervisord.read([Source("sv", text.encode(), str(tmp_path))], Options())

    assert [job.name for job in found.jobs] == ["x"]
