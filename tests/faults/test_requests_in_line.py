"""I1, I5: requests for runs that stand in line on a connection, and a master that is killed."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import IO

from tests.kit.master import PATIENCE_S, MasterUnderTest, StartMaster

COUNT = 150


@contextmanager
def asking(claw: MasterUnderTest) -> Iterator[Iterator[tuple[int, str]]]:
    """Send all requests in one piece, and yield what yields each answer: its id and the run."""
    lines = [
        json.dumps(
            {
                "jsonrpc": "2.0",
                "id": number,
                "method": "run.submit",
                "params": {"job": "short", "request_id": f"no-{number}"},
            }
        )
        for number in range(COUNT)
    ]
    with closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(claw.home.control_socket)
        connection.sendall("".join(f"{line}\n" for line in lines).encode())
        with connection.makefile("rb") as file:
            yield _answers(file)


def _answers(file: IO[bytes]) -> Iterator[tuple[int, str]]:
    with suppress(ConnectionResetError):  # the master was killed before it had read all
        for line in file:
            if line.endswith(b"\n"):
                answer = json.loads(line)
                yield answer["id"], answer["result"]["run"]


def test_i1_i5_each_that_is_answered_is_kept_and_none_is_made_twice(
    start_master: StartMaster,
) -> None:
    claw = start_master(
        f"[daemon]\nmax_queue = {COUNT}\n"
        '[jobs.short]\nargv = ["/bin/true"]\nmax_instances = 4\non_overlap = "queue"\n'
    )
    promised: dict[int, str] = {}
    with asking(claw) as answers:
        for number, run in answers:
            if not promised:
                claw.kill()  # what it has sent until then is still to be read
            promised[number] = run
    claw.start()

    with asking(claw) as answers:
        again = dict(next(answers) for _ in range(COUNT))

    assert promised
    assert promised.items() <= again.items()
    assert list(again) == list(range(COUNT))
    claw.wait_until(lambda: not claw.runs_open(), "an end of all")
    runs = claw.runs()
    assert sorted(run["id"] for run in runs) == sorted(again.values())
    assert {run["state"] for run in runs} == {"succeeded"}
    assert {run["attempt"] for run in runs} == {1}
