"""Many short runs through the queue: each happens once, whoever supervises it."""

from collections import Counter
from pathlib import Path

from tests.kit.ledger import Ledger
from tests.kit.master import StartMaster
from tests.kit.queues import submit_many
from tests.kit.witness import Witness

RUNS = 200


def test_200_short_runs_each_begin_once_end_once_and_have_one_row(
    start_master: StartMaster, tmp_path: Path
) -> None:
    witness = Witness(tmp_path)
    claw = start_master(
        f'[jobs.short]\n{witness.command(3)}\nmax_instances = 8\non_overlap = "queue"\n'
    )

    runs = submit_many(claw, "short", RUNS)
    claw.wait_until(lambda: not claw.runs_open(), "end of all")

    assert Counter(line.run for line in witness.lines()) == dict.fromkeys(runs, 1)
    ledger = Ledger(claw, witness.lines())
    ledger.plural = frozenset({"short"})
    assert ledger.wrongs() == []
    lines = [line for journal in claw.journals().values() for line in journal]
    assert Counter(line["ev"] for line in lines) == dict.fromkeys(
        ("launch", "started", "exited", "ended"), RUNS
    )
    assert len(claw.journals()) < RUNS
