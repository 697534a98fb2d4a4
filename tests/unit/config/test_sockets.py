"""Sockets that claw opens: addresses as people write them, and what no two jobs may share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from claw.config.load import load
from claw.config.plan import plan
from claw.errors import ConfigError
from claw.model.job import Config, Job
from claw.model.listener import Listener

Read = Callable[[str], Config]
ReadJob = Callable[[str], Job]
Refusal = Callable[[str], tuple[str, ...]]


def test_sockets_keep_the_order_in_which_they_are_written(read_job: ReadJob) -> None:
    job = read_job("""
        command = "x"
        [jobs.web.sockets]
        zz = "tcp://127.0.0.1:8000"
        v6 = "tcp://[::0:1]:8000"
        name = "tcp://LocalHost:8001"
        aa = { address = "unix:/run/x.sock", mode = "0600", group = "adm", backlog = 5 }
    """)

    assert job.sockets == (
        Listener(name="zz", address="tcp://127.0.0.1:8000", host="127.0.0.1", port=8000),
        Listener(name="v6", address="tcp://[::1]:8000", host="::1", port=8000),
        Listener(name="name", address="tcp://localhost:8001", host="localhost", port=8001),
        Listener(
            name="aa",
            address="unix:/run/x.sock",
            path="/run/x.sock",
            mode=0o600,
            group="adm",
            backlog=5,
        ),
    )


@pytest.mark.parametrize(
    "text", ["unix:/run/a.sock", "unix:///run/a.sock", "unix://run/a.sock"]
)
def test_a_unix_path_is_written_with_any_number_of_slashes(
    text: str, read_job: ReadJob
) -> None:
    [one] = read_job(f'command = "x"\nsockets = {{ a = "{text}" }}').sockets

    assert (one.address, one.path) == ("unix:/run/a.sock", "/run/a.sock")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ('"127.0.0.1:8000"', "is no address: write one like"),
        ('"http://127.0.0.1:8000"', "is no address: write one like"),
        ('"tcp://127.0.0.1"', "is no address: write one like"),
        ('"tcp://::1:80"', "is no address: write one like"),
        ('"tcp://127.0.0.1:0"', "is no port: a number from 1 to 65535"),
        ('"tcp://127.0.0.1:65536"', "is no port: a number from 1 to 65535"),
        ('"tcp://127.0.0.1:http"', "is no port: a number from 1 to 65535"),
        ('"tcp://127.0.0.256:80"', "is neither a host's name nor an address"),
        ('"tcp://a b:80"', "is neither a host's name nor an address"),
        ('"tcp://[::zz]:80"', "is no IPv6 address"),
        ('"tcp://:80"', "which host? write 0.0.0.0 or [::]"),
        ('"tcp://*:80"', "which host? write 0.0.0.0 or [::]"),
        ('"unix:x.sock"', "the path has to be absolute"),
        ('"unix:/run/"', "the path has to be absolute"),
        (f'"unix:/{"x" * 107}"', "longer than 107 bytes"),
        ("8000", "an address in quotes is expected"),
        ("{ mode = '0600' }", "the address is missing"),
        ("{ address = 'tcp://[::1]:80', mode = '0600' }", "only a unix socket has that"),
        ("{ address = 'unix:/x', mode = '600x' }", "three octal digits"),
        ("{ address = 'unix:/x', owner = 'a b' }", "is no name of a user or group"),
        ("{ address = 'unix:/x', backlog = 0 }", "a whole number from 1 to 65535"),
        ("{ address = 'unix:/x', bakclog = 7 }", 'unknown key, did you mean "backlog"?'),
    ],
)
def test_a_bad_address_is_told_with_its_key(value: str, told: str, refusal: Refusal) -> None:
    [line] = refusal(f'[jobs.web]\ncommand = "x"\nsockets = {{ http = {value} }}\n')

    assert line.startswith("3: jobs.web.sockets.http")
    assert told in line


def test_a_bad_name_and_a_wrong_table_are_told(refusal: Refusal) -> None:
    start = '[jobs.web]\ncommand = "x"\n'

    [line] = refusal(f'{start}sockets = {{ "a:b" = "tcp://127.0.0.1:80" }}')
    assert "no name for a socket" in line
    [line] = refusal(f'{start}sockets = ["tcp://127.0.0.1:80"]')
    assert "a table of addresses" in line


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("tcp://127.0.0.1:80", "tcp://127.0.0.1:80", "is opened for"),
        ("tcp://0.0.0.0:80", "tcp://127.0.0.1:80", "cannot be opened beside"),
        ("tcp://[::1]:80", "tcp://[::]:80", "cannot be opened beside"),
        ("unix:/run/x", "unix:///run/./x", "is opened for"),
    ],
)
def test_two_jobs_cannot_have_one_address(
    one: str, other: str, clash: str, tmp_path: Path
) -> None:
    path = tmp_path / "claw.toml"
    path.write_text(
        f'[jobs.a]\ncommand = "x"\nsockets.first = "{one}"\n'
        f'[jobs.b]\ncommand = "x"\nsockets.second = "{other}"\n'
    )

    with pytest.raises(ConfigError) as caught:
        load(str(path))

    [line] = caught.value.diagnostics
    assert line.startswith(f"{path}:6: jobs.b.sockets.second: ")
    assert clash in line
    assert f"job 'a' (sockets.first, {path}:3)" in line


def test_one_job_cannot_have_an_address_twice(refusal: Refusal) -> None:
    text = 'sockets = { a = "tcp://0.0.0.0:80", b = "tcp://127.0.0.1:80" }'

    [line] = refusal(f'[jobs.web]\ncommand = "x"\n{text}')

    assert "cannot be opened beside that of 'a'" in line


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("tcp://127.0.0.1:80", "tcp://127.0.0.2:80"),
        ("tcp://127.0.0.1:80", "tcp://127.0.0.1:81"),
        ("tcp://0.0.0.0:80", "tcp://[::]:80"),
        ("unix:/run/x", "unix:/run/y"),
    ],
)
def test_addresses_that_differ_go_together(one: str, other: str, read: Read) -> None:
    config = read(
        f'[jobs.a]\ncommand = "x"\nsockets.s = "{one}"\n'
        f'[jobs.b]\ncommand = "x"\nsockets.s = "{other}"\n'
    )

    assert len(config.jobs) == 2


def test_another_address_restarts_a_service_and_the_same_one_does_not(read: Read) -> None:
    text = '[jobs.web]\ncommand = "x"\ntype = "continuous"\nsockets.a = "{}"\n'
    before = read(text.format("tcp://127.0.0.1:80"))

    changed = plan(before, read(text.format("tcp://127.0.0.1:81")))
    same = plan(before, read(text.format("tcp://127.0.0.1:080") + 'description = "x"\n'))

    assert changed.restart == (("web", ("sockets",)),)
    assert same.restart == ()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("server --port $PORT", "exec server --port $PORT"),
        ("server > log 2>&1", "exec server > log 2>&1"),
        (">log server", "exec >log server"),
        ("~/bin/server", "exec ~/bin/server"),
        ("server 'a;b' \"c|d\" # as; it is", "exec server 'a;b' \"c|d\" # as; it is"),
        ("$PROGRAM --here", "exec $PROGRAM --here"),
        ("cd /srv && server", "cd /srv && exec server"),
        ("cd /srv; server >log;", "cd /srv; exec server >log;"),
        ('set -e\ncd $HOME\n"my server" x', 'set -e\ncd $HOME\nexec "my server" x'),
        ("test -f x || server", "test -f x || exec server"),
        ("cd x && ${SERVER:-y}", "cd x && exec ${SERVER:-y}"),
    ],
)
def test_a_shell_hands_its_process_to_the_last_program_of_a_line(
    line: str, expected: str, read_job: ReadJob
) -> None:
    text = f"command = '''{line}'''\n"

    assert read_job(text).argv[2] == line
    job = read_job(f'{text}sockets.http = "tcp://127.0.0.1:80"')
    assert job.argv == ("/bin/sh", "-c", expected, "/bin/sh")
    assert job.command == line


@pytest.mark.parametrize(
    "line",
    [
        "server | tee log",
        "server &",
        "server & wait",
        "server `nproc`",
        "server $(nproc)",
        "(cd x; server)",
        "exec server > log",
        "cd x && exec server",
        "MODE=1 server",
        "if true; then server; fi",
        "for i in 1 2; do server; done",
        "trap x EXIT; server",
        "! server",
        "{ server; }",
        "cd $HOME",
        "server << x",
    ],
)
def test_a_line_that_is_no_list_of_programs_is_left_as_it_is(
    line: str, read_job: ReadJob
) -> None:
    job = read_job(f"command = '''{line}'''\nsockets.http = \"tcp://127.0.0.1:80\"")

    assert job.argv == ("/bin/sh", "-c", line, "/bin/sh")
