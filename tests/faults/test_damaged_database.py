"""A database that is damaged while the master is dead is rebuilt, and that is said loudly."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from claw.kernel import clock
from claw.master.configuration import Configuration
from tests.kit.ledger import Ledger
from tests.kit.master import StartMaster
from tests.kit.witness import Witness


def _garbage_at_the_start(database: Path) -> None:
    database.write_bytes(b"\x00garbage" * 64 + database.read_bytes()[512:])


def _garbage_in_the_middle(database: Path) -> None:
    data = bytearray(database.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xa5" * 64
    database.write_bytes(data)


def _truncated(database: Path) -> None:
    database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])


def _zero_length(database: Path) -> None:
    database.write_bytes(b"")


def _gone(database: Path) -> None:
    database.unlink()


def _all_gone(database: Path) -> None:
    for path in database.parent.glob("claw.db*"):
        path.unlink()


_DAMAGES = (
    _garbage_at_the_start, _garbage_in_the_middle, _truncated, _zero_length, _gone, _all_gone,
)  # fmt: skip


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


def config_of(witness: Witness) -> str:
    return f"""
[daemon]
timezone = "UTC"
[jobs.web]
type = "continuous"
{witness.command(0, 0, 600)}
grace_period = "2s"
[jobs.stopped]
type = "continuous"
{witness.command(0, 0, 600)}
grace_period = "2s"
[jobs.quick]
{witness.command()}
[jobs.long]
{witness.command(7, 10, "held")}
[jobs.tick]
{witness.command()}
schedule = "* * * * * *"
"""


@pytest.mark.parametrize("damage", _DAMAGES, ids=lambda damage: damage.__name__.strip("_"))
def test_a_damaged_database_is_rebuilt_and_no_job_notices(
    start_master: StartMaster, witness: Witness, damage: Callable[[Path], None]
) -> None:
    claw = start_master(config_of(witness))
    web = claw.wait_state("web", "running")
    claw.wait_state("stopped", "running")
    claw.ctl("stop", "stopped")
    claw.wait_state("stopped", "stopped")
    codes = (0, 5)
    known = {claw.ended(claw.submit("quick", args=[str(code)]))["id"]: code for code in codes}
    long = claw.submit("long")
    claw.wait_until(lambda: witness.count(long), "a run")
    claw.wait_until(lambda: any(line.slot for line in witness.lines()), "a fire")

    claw.kill()
    database = Path(claw.home.database)
    damage(database)
    claw.start()
    witness.let_go()

    assert claw.wait_state("web", "running")["pid"] == web["pid"]
    assert claw.job("web")["run"] == web["run"]
    assert claw.job("stopped")["state"] == "stopped"
    assert {run: claw.call("run.show", run=run)["exit_code"] for run in known} == known
    assert claw.ended(long)["exit_code"] == 7
    asides = list(database.parent.glob("claw.db.damaged-*"))
    assert bool(asides) is (damage is not _all_gone)

    claw.call("job.stop", targets=["tick"])
    claw.wait_until(lambda: claw.job("tick")["state"] == "stopped", "a stop")
    ledger = Ledger(claw, witness.lines())
    tick = [job for job in Configuration(claw.home.config).load().jobs if job.name == "tick"]
    assert ledger.wrongs() == []
    assert list(ledger.wrong_slots(tick)) == []
    assert claw.job("web")["pid"] == web["pid"]


def test_a_rebuilt_database_is_said_at_every_look_until_acknowledged(
    start_master: StartMaster, witness: Witness
) -> None:
    claw = start_master(config_of(witness))
    claw.wait_state("web", "running")
    claw.kill()
    _garbage_at_the_start(Path(claw.home.database))
    claw.start()

    [text] = json.loads(claw.ctl("status", "--json"))["warnings"]
    assert "rebuilt" in text
    assert "rebuilt" in claw.ctl("alerts", "list")
    claw.restart()
    assert claw.call("job.status")["warnings"] == [text]

    claw.ctl("alerts", "ack")
    assert claw.call("job.status")["warnings"] == []
    claw.restart()
    assert claw.call("job.status")["warnings"] == []


def test_slots_that_no_journal_shows_as_run_are_missed_and_not_run_now(
    start_master: StartMaster, witness: Witness
) -> None:
    claw = start_master(config_of(witness) + 'catch_up = "all"\ncatch_up_window = "1h"\n')
    claw.wait_until(lambda: len(slots_of(witness)) > 1, "fires")

    claw.kill()
    before = slots_of(witness)
    last = max(datetime.fromisoformat(slot) for slot in before)
    _garbage_at_the_start(Path(claw.home.database))
    # Slots pass while nobody is there to see them.
    claw.wait_until(lambda: clock.now() - last > timedelta(seconds=4), "four seconds")
    claw.start()
    claw.wait_until(lambda: len(slots_of(witness) - before) > 1, "fires again")

    missed = [run for run in claw.runs("tick") if run["state"] == "missed"]
    until = max(run["slot_until"] or run["slot_at"] for run in missed)
    assert sum(run["slot_count"] for run in missed) >= 3
    assert all("rebuilt" in run["reason"] for run in missed)
    assert min(map(datetime.fromisoformat, slots_of(witness) - before)) > (
        datetime.fromisoformat(until)
    )


def slots_of(witness: Witness) -> set[str]:
    return {line.slot for line in witness.lines() if line.slot}


def test_i5_a_lost_write_ahead_log_makes_no_slot_run_twice(start_master: StartMaster) -> None:
    claw = start_master("""
[jobs.t]
command = "echo $CLAW_SLOT >> slots"
cwd = "."
schedule = "* * * * * *"
catch_up = "all"
catch_up_window = "1h"
on_overlap = "queue"
max_instances = 5
""")
    claw.wait_until(lambda: len(claw.runs("t")) >= 3, "three slots")

    claw.kill()
    (claw.folder / "state" / "claw.db-wal").unlink()
    claw.start()

    assert any("gone back in time" in text for text in claw.call("job.status")["warnings"])
    claw.ctl("stop", "t")
    rows = [run["slot_at"] for run in claw.runs("t")]
    assert len(rows) == len(set(rows))
    ran = (claw.folder / "config" / "slots").read_text().split()
    assert len(ran) == len(set(ran))
