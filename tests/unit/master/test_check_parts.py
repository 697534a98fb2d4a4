"""What is looked at, and where a child's own output begins and goes on."""

import contextlib
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from claw.errors import ClawError
from claw.kernel.causes import reason
from claw.master.checks.logsearch import LogSearch, beginnings
from claw.master.checks.matcher import TooSlowError
from claw.master.checks.probes import Probes
from claw.master.checks.reasons import NoLookError, fault
from claw.master.checks.subject import subject_of
from claw.model.checks import Health, HealthType, Probe, Ready, ReadyType
from claw.model.job import Job, JobType
from claw.model.run import Attempt, Phase, Run, State
from tests.kit.descriptors import free_descriptors
from tests.kit.desk import T0, a_run, job
from tests.kit.secrecy import confidant

PROBE = Probe(url="http://127.0.0.1:80${instance}/", path="x.pid")
WEB = job(
    "web",
    JobType.CONTINUOUS,
    cwd="/srv/${instance}",
    ready=Ready(type=ReadyType.HTTP, probe=PROBE),
    health=Health(probe=PROBE),
)
UP = a_run(job="web", state=State.RUNNING, phase=Phase.STARTING, sid="s1", pid=7, attempt=1)
ATTEMPT = Attempt(run=UP.id, no=1, sid="s1", cause="start", pid=7, started_at=T0)


def test_a_child_is_looked_at_for_readiness_first_and_then_for_health() -> None:
    first = subject_of(WEB, replace(UP, instance=2), ATTEMPT, "/root")
    second = subject_of(
        WEB, replace(UP, phase=Phase.UP), replace(ATTEMPT, ready_at=T0), "/root"
    )

    assert first is not None
    assert isinstance(first.check, Ready)
    assert (first.check.probe.url, first.cwd) == ("http://127.0.0.1:802/", "/srv/2")
    assert second is not None
    assert isinstance(second.check, Health)
    assert (second.check.probe.url, second.cwd) == ("http://127.0.0.1:801/", "/srv/1")


@pytest.mark.parametrize(
    ("run", "attempt", "of"),
    [
        (replace(UP, state=State.QUEUED), ATTEMPT, WEB),
        (replace(UP, phase=Phase.BACKOFF), ATTEMPT, WEB),
        (replace(UP, phase=Phase.STOPPING), ATTEMPT, WEB),
        (replace(UP, stop_why="stop"), ATTEMPT, WEB),
        (replace(UP, pid=None), ATTEMPT, WEB),
        (UP, None, WEB),
        (UP, replace(ATTEMPT, ended_at=T0), WEB),
        (UP, ATTEMPT, replace(WEB, ready=Ready(type=ReadyType.NOTIFY))),
        (UP, replace(ATTEMPT, ready_at=T0), replace(WEB, health=None)),
    ],
    ids=str,
)
def test_nothing_else_is_looked_at(run: Run, attempt: Attempt | None, of: Job) -> None:
    assert subject_of(of, run, attempt, "/root") is None


class Searching:
    """Searches at once, and remembers in what."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def search(self, pattern: str, text: str) -> bool:
        self.texts.append(text)
        if "slow" in text:
            raise TooSlowError("the pattern takes longer than 2 s")
        return re.search(pattern, text, re.MULTILINE) is not None


def place(path: Path) -> tuple[str, int, int]:
    found = path.stat()
    return str(path), found.st_ino, found.st_size


def search(pattern: str, *places: tuple[str, int, int]) -> tuple[LogSearch, Searching]:
    searching = Searching()
    return LogSearch(searching, pattern, list(places)), searching  # type: ignore[arg-type]


async def test_only_what_comes_after_the_beginning_is_searched(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    log.write_text("up\n")
    found, searching = search("^up$", place(log))

    assert await found.look() is not None
    log.write_text("up\nnot up\nu")
    assert await found.look() is not None
    with log.open("a") as file:
        file.write("p\n")

    assert await found.look() is None
    assert searching.texts == ["not up\nu", "up\n"]


async def test_files_that_are_put_aside_are_read_to_their_end_first(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    log.write_text("old\n")
    (tmp_path / "out.log.2").write_text("of an earlier time, up\n")
    found, searching = search("^up$", place(log))
    assert await found.look() is not None

    with log.open("a") as file:
        file.write("one\n")
    log.rename(tmp_path / "out.log.9")
    log.write_text("two\n")
    log.rename(tmp_path / "out.log.10")
    log.write_text("up\n")

    assert await found.look() is None
    assert searching.texts == ["one\n", "two\n", "up\n"]


async def test_a_pattern_that_takes_too_long_is_tried_no_more(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    log.touch()
    found, searching = search("x", place(log))
    log.write_text("slow\n")

    said = [await found.look(), await found.look()]

    assert said == ["its output cannot be searched: the pattern takes longer than 2 s"] * 2
    assert len(searching.texts) == 1


async def test_without_a_beginning_nothing_is_searched() -> None:
    found, _searching = search("x")

    assert await found.look() == "its output is not known"


def test_the_journal_tells_where_the_output_of_an_attempt_begins(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    lines = [
        {"ev": "started", "attempt": number, "logs": [["/log/out.log", 7, number * 10]]}
        for number in (1, 2)
    ]
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"ev": "sta')

    assert beginnings(str(journal), 2) == [("/log/out.log", 7, 20)]
    assert beginnings(str(journal), 3) == beginnings(str(tmp_path / "none"), 1) == []


def test_a_reason_is_the_innermost_one() -> None:
    refused = ConnectionRefusedError(111, "call to 1.2.3.4 failed")
    failure = OSError("all attempts failed")
    failure.__cause__ = ExceptionGroup("several", [refused])

    assert reason(failure) == "Connection refused"
    assert reason(ValueError("no port")) == "no port"
    assert reason(ValueError()) == "ValueError"


def test_a_shortage_of_claws_own_is_told_from_a_fault() -> None:
    short = OSError("all attempts failed")
    short.__cause__ = ExceptionGroup(
        "several", [ConnectionRefusedError(111, "refused"), OSError(24, "too many")]
    )

    with pytest.raises(NoLookError, match="there: Too many open files"):
        fault("there", short)
    assert fault("there", ConnectionRefusedError(111, "no")) == "there: Connection refused"


async def test_a_look_that_no_descriptor_is_left_for_is_no_look() -> None:
    async def call(*_args: object, **_words: object) -> dict[str, object]:
        raise ClawError("no connection to the supervisor")

    probes = Probes(call, confidant())
    for kind, probe in (
        (HealthType.TCP, Probe(address="127.0.0.1:1")),
        (HealthType.TCP, Probe(address="/nowhere")),
        (HealthType.HTTP, Probe(url="http://127.0.0.1:1/")),
        (HealthType.PROCESS, Probe()),
        (HealthType.EXEC, Probe()),
    ):
        at = subject_of(
            replace(WEB, health=Health(type=kind, probe=probe)),
            replace(UP, phase=Phase.UP, pid=os.getpid()),
            replace(ATTEMPT, ready_at=T0),
            "/",
        )
        assert at is not None
        with contextlib.suppress(NoLookError):
            await probes.look(at, 20.0)  # what it takes once is there
        with free_descriptors(os.getpid(), 0), pytest.raises(NoLookError):
            await probes.look(at, 20.0)


async def test_a_job_of_another_user_is_asked_with_no_file_that_others_than_root_may_change(
    key: Path,
) -> None:
    probe = Probe(url=f"http://127.0.0.1:1/${{file:{key}}}")
    here = replace(WEB, health=Health(type=HealthType.HTTP, probe=probe))
    probes = Probes(None, confidant())  # type: ignore[arg-type]
    own, for_nobody = (
        subject_of(
            replace(here, user=user),
            replace(UP, phase=Phase.UP),
            replace(ATTEMPT, ready_at=T0),
            "/",
        )
        for user in ("", "nobody")
    )
    assert own is not None
    assert for_nobody is not None

    assert "Connection refused" in str(await probes.look(own, 20.0))
    with pytest.raises(NoLookError, match="has to be root's own"):
        await probes.look(for_nobody, 20.0)


async def test_while_a_thread_hangs_over_a_file_no_other_begins(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    probes = Probes(None, confidant())  # type: ignore[arg-type]
    check = Health(type=HealthType.FILE, probe=Probe(path="x", max_age_s=600.0))
    at = subject_of(
        replace(WEB, health=check, cwd=""),
        replace(UP, phase=Phase.UP),
        replace(ATTEMPT, ready_at=T0),
        str(tmp_path),
    )
    assert at is not None
    limiter = probes._threads[str(tmp_path / "x")] = trio.CapacityLimiter(1)
    limiter.acquire_on_behalf_of_nowait("a thread that hangs")

    for number in (1, 2, 3):  # a new run each time, as after restarts
        told = await probes.look(replace(at, run=f"r{number}"), 0.05)
        assert told == "no answer within 0.05s"

    limiter.release_on_behalf_of("a thread that hangs")
    assert await probes.look(at, 60.0) is None
    assert probes._threads == {}


class Faulty(Searching):
    """Fails once."""

    async def search(self, pattern: str, text: str) -> bool:
        self.texts.append(text)
        if len(self.texts) == 1:
            raise BlockingIOError(11, "no process can be forked")
        return await super().search(pattern, text)


async def test_a_search_that_failed_is_no_refusal(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    log.touch()
    found = LogSearch(Faulty(), "up", [place(log)])  # type: ignore[arg-type]
    log.write_text("up\n")

    with pytest.raises(BlockingIOError):
        await found.look()
    with log.open("a") as file:
        file.write("up\n")
    assert await found.look() is None


async def test_output_that_cannot_be_opened_now_is_not_passed_over(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    log.touch()
    found, searching = search("up", place(log))
    log.write_text("up\n")

    with free_descriptors(os.getpid(), 0), pytest.raises(OSError, match="Too many"):
        await found.look()
    assert await found.look() is None
    assert searching.texts == ["up\n"]
