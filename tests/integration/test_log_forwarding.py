"""Output that goes to the daemon's standard output and to a journal, and is not said twice."""

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from claw.master.control.limits import Limits
from claw.master.output import sinks
from claw.master.output.forward import Forwarding
from claw.master.output.sinks import Journal
from claw.model.job import JobType, Log, Sink
from claw.model.logline import LineOfOutput
from tests.kit.control import job, serving, until
from tests.kit.flood import WRITER, wrongs_in
from tests.kit.master import MasterUnderTest, StartMaster, kill_process, master


def said(claw: MasterUnderTest) -> list[bytes]:
    """Return what the master's standard output holds beside the master's own words."""
    lines = (claw.folder / "stderr").read_bytes().splitlines()
    return [line for line in lines if b"claw" not in line]


def test_output_goes_to_the_daemons_stdout_and_stays_in_its_file(
    start_master: StartMaster,
) -> None:
    claw = start_master("""
[jobs.web]
type = "continuous"
command = "echo from web; echo its error >&2; exec sleep 1000"
log = { to = ["file", "stdout"], stderr = "separate" }
[jobs.quick]
command = "echo quick; printf 'no newline'"
log = { to = ["stdout", "file"], timestamps = true }
[jobs.told]
command = "echo a b"
log = { to = ["stdout", "file"], format = "json" }
""")
    run = claw.ended(claw.submit("quick"))["id"]
    told = claw.ended(claw.submit("told"))["id"]

    claw.wait_until(lambda: len(said(claw)) == 5, "five lines")
    lines = said(claw)
    assert {b"from web", b"its error"} < set(lines)
    stamped = [line.split(b" ", 1) for line in lines if b"-" in line[:8]]
    assert sorted(text for _at, text in stamped) == [b"no newline", b"quick"]
    [shown] = [json.loads(line) for line in lines if line.startswith(b"{")]
    assert (shown["job"], shown["run"], shown["text"]) == ("told", told, "a b")
    assert claw.output("web/out.log") == b"from web\n"
    assert claw.output(f"quick/{run}.out") == b"quick\nno newline"


def test_forwarding_goes_on_where_it_was_in_another_master(
    start_master: StartMaster, tmp_path: Path
) -> None:
    (tmp_path / "writer.py").write_text(WRITER)
    (tmp_path / "go").touch()
    claw = start_master(f"""
[jobs.flood]
type = "continuous"
argv = ["python3", "{tmp_path}/writer.py", "{tmp_path}"]
grace_period = "0s"
log = {{ to = ["stdout", "file"], max_size = "64K", keep = 100000 }}
""")
    for _ in range(3):
        wait_more(claw)
        stop_master(claw)
        claw.start()
    (tmp_path / "end").touch()
    claw.wait_until(lambda: said(claw)[-1:] == [b"the end"], "the end")

    assert wrongs_in(said(claw)[:-1]) == []


def wait_more(claw: MasterUnderTest) -> None:
    """Wait until some thousand lines more have been forwarded."""
    before = len(said(claw))
    claw.wait_until(lambda: len(said(claw)) > before + 5000, "more lines")


def stop_master(claw: MasterUnderTest) -> None:
    """End the master in an orderly way, and leave its jobs."""
    claw.call("daemon.stop", mode="detach")
    assert claw.process is not None
    claw.process.wait(30)
    claw.client.close()


def test_after_a_kill_no_line_is_left_out_and_none_is_split(
    start_master: StartMaster, tmp_path: Path
) -> None:
    (tmp_path / "writer.py").write_text(WRITER)
    (tmp_path / "go").touch()
    claw = start_master(f"""
[jobs.flood]
type = "continuous"
argv = ["python3", "{tmp_path}/writer.py", "{tmp_path}"]
grace_period = "0s"
log = {{ to = ["stdout"], max_size = "64K", keep = 100000 }}
""")
    for _ in range(3):
        wait_more(claw)
        claw.restart()
    (tmp_path / "end").touch()
    claw.wait_until(lambda: said(claw)[-1:] == [b"the end"], "the end")

    numbers = [int(line) for line in said(claw)[:-1]]
    assert set(numbers) == set(range(1, max(numbers) + 1))
    rotated = claw.folder / "log/flood"
    claw.wait_until(
        lambda: sum(one.suffix[1:].isdigit() for one in rotated.iterdir()) < 3,
        "an empty buffer",
    )


def test_a_reload_begins_forwarding_and_ends_it(
    start_master: StartMaster, tmp_path: Path
) -> None:
    text = f"""
[jobs.web]
type = "continuous"
command = '''
for word in one two; do until [ -e {tmp_path}/$word ]; do sleep 0.02; done; echo $word; done
sleep 1000'''
log = {{ to = TO }}
"""
    claw = start_master(text.replace("TO", '["file"]'))
    pid = claw.wait_state("web", "running")["pid"]
    claw.configure(text.replace("TO", '["file", "stdout"]'))
    claw.call("config.reload")
    (tmp_path / "one").touch()
    claw.wait_until(lambda: said(claw) == [b"one"], "a line")
    position = claw.folder / "state/forward/stdout-web.json"
    assert position.exists()

    claw.configure(text.replace("TO", '["file"]'))
    claw.call("config.reload")
    claw.wait_until(lambda: not position.exists(), "an end of forwarding")
    (tmp_path / "two").touch()
    claw.wait_until(lambda: claw.output("web/out.log") == b"one\ntwo\n", "the rest")

    assert said(claw) == [b"one"]
    assert claw.job("web")["pid"] == pid


def test_what_jobs_write_last_is_forwarded_in_a_shutdown(tmp_path: Path) -> None:
    with master(
        tmp_path / "home",
        """
[jobs.web]
type = "continuous"
command = "trap 'echo last words; exit' TERM; echo up; while :; do sleep 0.05; done"
log = { to = ["stdout"] }
""",
    ) as claw:
        claw.wait_until(lambda: b"up" in said(claw), "a first line")
        claw.call("daemon.stop", mode="stop")
        assert claw.process is not None
        claw.process.wait(30)

    assert said(claw)[-2:] == [b"up", b"last words"]


# -- the journal -------------------------------------------------------------------------


@contextlib.contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """Listen as journald does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        server.settimeout(20)
        yield server
    path.unlink()


def fields_of(data: bytes) -> dict[str, str]:
    """Read an entry by the native journal protocol."""
    found = {}
    while data:
        line, _, rest = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if equals:
            found[name.decode()], data = value.decode(), rest
        else:
            size = int.from_bytes(rest[:8], "little")
            found[line.decode()] = rest[8 : 8 + size].decode()
            assert rest[8 + size : 9 + size] == b"\n"
            data = rest[9 + size :]
    return found


def line_of(text: str, stream: str = "stdout") -> LineOfOutput:
    return LineOfOutput(text, job="web", run="r1", stream=stream)


async def test_a_line_is_an_entry_with_fields(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "socket"))
    lines = [line_of("plain = text"), line_of("two\nlines", "stderr"), line_of("x" * 300_000)]
    with listening(tmp_path / "socket") as server:
        await journal.write(lines, timestamps=False, as_json=False)
        entries = [fields_of(server.recv(1 << 20)) for _ in range(2)]
        nothing, fds, *_ = socket.recv_fds(server, 100, 1)
        with os.fdopen(fds[0], "rb") as file:
            file.seek(0)
            large = fields_of(file.read())
    journal.close()

    assert entries[0] == {
        "MESSAGE": "plain = text", "PRIORITY": "6", "SYSLOG_IDENTIFIER": "web",
        "CLAW_JOB": "web", "CLAW_RUN": "r1", "CLAW_STREAM": "stdout",
    }  # fmt: skip
    assert (entries[1]["MESSAGE"], entries[1]["PRIORITY"]) == ("two\nlines", "3")
    assert (nothing, large["MESSAGE"]) == (b"", "x" * 300_000)


async def test_a_journal_that_is_not_there_is_said_and_found_later(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "socket"))
    for _ in range(2):
        with pytest.raises(sinks.SinkError, match="No such file"):
            await journal.write([line_of("lost?")], timestamps=False, as_json=False)

    for text in ("first", "second"):
        with listening(tmp_path / "socket") as server:
            with trio.fail_after(20):
                while True:
                    try:
                        await journal.write([line_of(text)], timestamps=False, as_json=False)
                    except sinks.SinkError:
                        await trio.sleep(0.01)
                    else:
                        break
            assert fields_of(server.recv(1 << 20))["MESSAGE"] == text
    journal.close()


def test_output_waits_for_a_journal_in_its_file(start_master: StartMaster) -> None:
    if Path(sinks.JOURNAL).exists():
        return  # then there is a journal
    claw = start_master('[jobs.a]\ncommand = "echo hello"\nlog = { to = ["journal"] }\n')
    run = claw.ended(claw.submit("a"))["id"]

    claw.wait_until(lambda: "'a' waits: the journal takes none" in claw.stderr, "a warning")
    assert claw.output(f"a/{run}.out") == b"hello\n"
    assert claw.stderr.count("waits:") == 1
    kill_process(claw.pid)


def make_unreadable(path: Path) -> None:
    """Have what this process has open of a file fail with EIO, for as long as it is open."""
    with Path("/proc/self/mem").open("rb") as unreadable:  # regular, without a first page
        for fd in Path("/proc/self/fd").iterdir():
            if os.path.realpath(fd) == str(path):
                os.dup2(unreadable.fileno(), int(fd.name))


async def test_a_file_that_cannot_be_read_for_now_holds_up_nothing_but_itself(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    web = job("web", JobType.CONTINUOUS, log=Log(to=(Sink.STDOUT, Sink.FILE)))
    heard = ""

    async def hear(text: str) -> None:
        def is_there() -> bool:
            nonlocal heard
            heard += capfd.readouterr().out
            return text in heard

        await until(is_there, text)

    async with serving(tmp_path, web) as desk, trio.open_nursery() as nursery:
        path = Path(desk.home.job_log("web")) / "out.log"
        path.parent.mkdir()
        path.write_text("one\n")
        forwarding = Forwarding(
            desk.home,
            lambda: desk.config.current,
            lambda watcher: desk.services(watcher, Limits()),
        )
        nursery.start_soon(forwarding.serve, 0.0)
        await hear("one\n")

        make_unreadable(path)
        with path.open("a") as file:
            file.write("two\n")
        await until(lambda: "Input/output error" in caplog.text, "the failure")
        path.with_name("err.log").write_text("an error\n")

        await hear("an error\n")
        await hear("two\n")
        nursery.cancel_scope.cancel()
    assert heard.splitlines() == ["one", "an error", "two"]
