"""claw beside the supervisors that people use instead, in one run: -m benchmark -n 0 -s.

See `tests.kit.peers` for how to install them; one that is missing is left out, and that is
said. Each has the same services and the least delay of restart that it can be given, its
logs go to files, and it is measured from the outside alone. What takes too long is given up
on, so that the whole takes less than six minutes.
"""

import faulthandler
import os
import signal
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.peers import PEERS, Claw, Peer

pytestmark = pytest.mark.benchmark
FEW, MANY = 100, 500
CRASHES = 20
IDLE_S = 8.0
FLOOD_BYTES = 100_000_000
PATIENCE_S = {FEW: 20.0, MANY: 25.0, "crash": 6.0, "stop": 15.0, "flood": 15.0}
ROWS = (
    "crash to restart, median, ms",
    "crash to restart, worst, ms",
    f"{FEW} services running, s",
    f"{MANY} services running, s",
    f"memory per service of {FEW}, KiB",
    f"memory per service of {MANY}, KiB",
    f"idle with {FEW}, % of a core",
    f"stop of {FEW}, s",
    "log of a flood, MB/s",
)
HIGHER_IS_BETTER = {ROWS[-1]}
Figures = dict[str, float | None]


def wait_s(condition: Callable[[], bool], patience_s: float) -> float | None:
    """Return how long a condition took to become true; None when it took too long."""
    begun = time.perf_counter()
    while not condition():
        if time.perf_counter() - begun > patience_s:
            return None
        time.sleep(0.0005)
    return time.perf_counter() - begun


def run_to_all(peer: Peer, count: int) -> float | None:
    """Start a peer with so many services; return the seconds until all run."""
    services = peer.services(count)
    begun = time.perf_counter()
    peer.start(services)
    if wait_s(lambda: peer.count_begun() >= count, PATIENCE_S[count]) is None:
        return None
    return time.perf_counter() - begun


def memory_kib(pids: list[int]) -> float:
    """Return the memory of processes: what they share is shared out among those who do."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def cpu_s(pids: list[int]) -> float:
    """Return the processor time of processes."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def crash_s(peer: Peer, service: str) -> float | None:
    """Kill a service; return the seconds until it runs again."""
    path = peer.begun / service
    size = path.stat().st_size
    os.kill(peer.pid_of(service), signal.SIGKILL)
    return wait_s(lambda: path.stat().st_size > size, PATIENCE_S["crash"])


def measure_few(peer: Peer) -> Figures:
    """Measure all that is done with a hundred services."""
    figures: Figures = {ROWS[2]: run_to_all(peer, FEW)}
    if figures[ROWS[2]] is None:
        return figures
    time.sleep(3)  # a start that is as old counts as good with all of them
    side = peer.side()
    figures[ROWS[4]] = memory_kib(side) / FEW
    before = cpu_s(side)
    time.sleep(IDLE_S)
    figures[ROWS[6]] = 100 * (cpu_s(side) - before) / IDLE_S
    times = [crash_s(peer, service) for service in peer.services(FEW)[:CRASHES]]
    known = [1000 * one for one in times if one is not None]
    if len(known) == CRASHES:
        figures[ROWS[0]], figures[ROWS[1]] = statistics.median(known), max(known)
    time.sleep(1)
    begun = time.perf_counter()
    peer.stop_all()
    if wait_s(lambda: not peer.living(), PATIENCE_S["stop"]) is not None:
        figures[ROWS[7]] = time.perf_counter() - begun
    return figures


def measure_many(peer: Peer) -> Figures:
    """Measure a start of five hundred services, and what they cost."""
    figures: Figures = {ROWS[3]: run_to_all(peer, MANY)}
    if figures[ROWS[3]] is not None:
        time.sleep(1)
        figures[ROWS[5]] = memory_kib(peer.side()) / MANY
    return figures


def measure_flood(peer: Peer) -> Figures:
    """Measure how fast the output of one service is taken in."""
    name = peer.flood(FLOOD_BYTES)
    peer.start([name])
    wait_s((peer.begun / f"{name}.at").exists, PATIENCE_S["flood"])
    taken_s = wait_s((peer.begun / name).exists, PATIENCE_S["flood"])
    return {ROWS[8]: None if taken_s is None else FLOOD_BYTES / 1e6 / taken_s}


def measure(make: Callable[[Path], Peer], folder: Path) -> Figures:
    """Return all figures of a peer, each part of them in a home of its own."""
    figures: Figures = {}
    for number, part in enumerate((measure_few, measure_many, measure_flood)):
        peer = make(folder / str(number))
        try:
            figures |= part(peer)
        finally:
            peer.end()
    return figures


def table(found: dict[str, Figures]) -> list[str]:
    """Return the figures as a table."""
    lines = [f"{'':34}" + "".join(f"{name:>13}" for name in found)]
    for row in ROWS:
        cells = (figures.get(row) for figures in found.values())
        shown = ("-" if one is None else f"{one:.4g}" for one in cells)
        lines.append(f"{row:34}" + "".join(f"{one:>13}" for one in shown))
    return lines


def behind(found: dict[str, Figures]) -> list[str]:
    """Return in which rows which peers do better than claw."""
    lines = []
    for row in ROWS:
        ours = found[Claw.name].get(row)
        for name, figures in found.items():
            theirs = figures.get(row)
            if ours is None or theirs is None or name == Claw.name:
                continue
            good, bad = (theirs, ours) if row in HIGHER_IS_BETTER else (ours, theirs)
            if good > bad:
                times = f"{good / bad:.3g} times as well" if bad else "for nothing"
                lines.append(f"{row}: {name} does it {times}")
    return lines


def test_claw_beside_its_peers(tmp_path: Path) -> None:
    faulthandler.cancel_dump_traceback_later()  # that it takes its minutes is no fault
    found: dict[str, Figures] = {}
    print()
    for make in PEERS:
        missing = make.missing()  # type: ignore[attr-defined]
        name: str = make.name  # type: ignore[attr-defined]
        if missing:
            print(f"{name} is left out: {', '.join(missing)} not installed")
            continue
        found[name] = measure(make, tmp_path / name)

    print("\n".join(["", *table(found), "", *behind(found)]))
    assert {row for row in ROWS if found[Claw.name].get(row) is None} == set()
