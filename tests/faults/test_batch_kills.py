"""kill -9 of the master between the requests of a large batch, and between its pieces."""

from pathlib import Path

from tests.kit.master import MasterUnderTest, StartMaster

CONFIG = """
[daemon]
max_queue = 20
[jobs.a]
command = 'until [ -e {go} ]; do sleep 0.1; done; echo "$1" >> {done}'
max_instances = 4
"""
PART = 20


def _part(claw: MasterUnderTest, no: int, batch: str | None = None) -> str:
    answer = claw.call(
        "run.submit_batch",
        job="a",
        runs=[{"args": [str(one)]} for one in range(no * PART, (no + 1) * PART)],
        request_id=f"part {no}",
        more=no < 2,
        **({} if batch is None else {"batch": batch}),
    )
    assert answer["count"] == (no + 1) * PART
    return str(answer["batch"])


def _kill(claw: MasterUnderTest) -> None:
    claw.kill()
    claw.start()


def test_each_line_of_a_large_batch_runs_once_wherever_the_master_is_killed(
    start_master: StartMaster, tmp_path: Path
) -> None:
    done, go = tmp_path / "done", tmp_path / "go"
    claw = start_master(CONFIG.format(done=done, go=go))
    batch = _part(claw, 0)
    for no in (0, 1, 2):  # each is asked for again, as by a client that saw no answer
        known = None if no == 0 else batch
        assert _part(claw, no, known) == batch
        _kill(claw)
        assert _part(claw, no, known) == batch

    assert 0 < _made(claw) < 3 * PART  # what holds the queue waits for the file
    _kill(claw)
    before = _made(claw)
    go.touch()
    claw.wait_until(lambda: _made(claw) > before, "another piece")
    _kill(claw)
    claw.wait_until(lambda: _is_over(claw, batch), "end of the batch")

    assert sorted(map(int, done.read_text().split())) == list(range(3 * PART))
    assert [run["state"] for run in claw.runs("a")] == ["succeeded"] * 3 * PART


def _made(claw: MasterUnderTest) -> int:
    return len(claw.runs("a"))


def _is_over(claw: MasterUnderTest, batch: str) -> bool:
    told = claw.call("run.batch", batch=batch)
    assert told["total"] == 3 * PART
    return bool(told["done"] == told["total"])
