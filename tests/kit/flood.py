"""Jobs that write numbered lines, and whoever checks that each comes once, whole, in order."""

import contextlib
import gzip
import subprocess
import threading
import time
from pathlib import Path

from tests.kit.clawctl import command_line
from tests.kit.master import MasterUnderTest

PATIENCE_S = 120.0

WRITER = """
import os, random, sys, time
number, rng = 0, random.Random(7)
folder = sys.argv[1]
while not os.path.exists(folder + "/go"):
    time.sleep(0.02)
while not os.path.exists(folder + "/end"):
    lines = []
    for _ in range(rng.randrange(1, 2000)):
        number += 1
        lines.append(b"%d\\n" % number)
    data = b"".join(lines)
    while data:
        data = data[os.write(1, data[:rng.randrange(1, 20000)]):]
    time.sleep(0.01)
os.write(1, b"the end\\n")
time.sleep(1000)
"""
"""Writes numbers in bursts that are cut anywhere, from ``go`` until ``end`` is there."""


def parts_of(folder: Path, name: str = "out.log") -> list[bytes]:
    """Return what each file of an output holds, oldest first."""
    found = []
    for path in folder.iterdir():
        word = path.name.removeprefix(f"{name}.").removesuffix(".gz")
        if path.name != name and word.isdigit():
            data = path.read_bytes()
            is_packed = path.suffix == ".gz"
            found.append((int(word), gzip.decompress(data) if is_packed else data))
    assert len({number for number, _data in found}) == len(found)
    present = folder / name
    rotated = [data for _number, data in sorted(found)]
    return [*rotated, present.read_bytes()] if present.exists() else rotated


def wrongs_in(numbers: list[bytes], last: int | None = None) -> list[str]:
    """Return where some lines are not 1, 2, 3 and so on; ``last`` is the last of them."""
    wrong = [
        f"line {at} is {line[:40]!r}"
        for at, line in enumerate(numbers, start=1)
        if line != b"%d" % at
    ]
    if last is not None and len(numbers) != last:
        wrong.append(f"{len(numbers)} lines instead of {last}")
    return wrong[:10]


class Follower:
    """``clawctl logs -f`` in the background; its lines are checked as they come."""

    def __init__(self, claw: MasterUnderTest, job: str, *, pause_s: float = 0.0) -> None:
        self.process = subprocess.Popen(
            command_line(["logs", job, "-f", "-n", "0"]),
            env=claw.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._pause_s = pause_s
        self.count = 0
        self.wrongs: list[str] = []
        self.last = b""
        self.said = b""
        self._threads = [
            threading.Thread(target=target, daemon=True)
            for target in (self._read, self._listen)
        ]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.last = line
            if line == b"the end\n":
                continue
            self.count += 1
            if line != b"%d\n" % self.count and len(self.wrongs) < 10:
                self.wrongs.append(f"line {self.count} is {line[:40]!r}")
            if self._pause_s and self.count % 1000 == 0:
                time.sleep(self._pause_s)
        self.process.stdout.close()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line
        self.process.stderr.close()

    def wait_end(self) -> None:
        """Wait until the last line has come."""
        deadline, count = time.monotonic() + PATIENCE_S, -1
        while self.last != b"the end\n":
            if count != self.count:
                deadline, count = time.monotonic() + PATIENCE_S, self.count
            assert time.monotonic() < deadline, (self.count, self.last, self.said)
            time.sleep(0.01)

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join(PATIENCE_S)


def await_readers(claw: MasterUnderTest, job: str, count: int) -> None:
    """Wait until the master has a job's output open so many times: so many follow it."""
    wanted = str(claw.folder / "log" / job / "out.log")

    def are_there() -> bool:
        found = 0
        for link in Path(f"/proc/{claw.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                found += str(link.readlink()) == wanted
        return found >= count

    claw.wait_until(are_there, "followers")
