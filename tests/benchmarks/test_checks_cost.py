"""What checks cost the master: processor time for each look, memory of what it takes."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio

from claw.master.checks.probes import Probes
from claw.master.checks.subject import Subject
from claw.model.checks import Health, HealthType, Probe
from tests.kit.secrecy import confidant
from tests.kit.servers import Servers

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="not installed: nginx"),
]
CHECKS = 500
INTERVAL_S = 30.0
MOST_PERCENT = 10.0


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Servers]:
    both = Servers(tmp_path / "servers")
    argv = ["nginx", "-p", str(both.folder), "-c", str(both.folder / "nginx.conf")]
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as process:
        while not both.nginx_answers():
            time.sleep(0.05)
        yield both
        process.terminate()


def subject(number: int, kind: HealthType, probe: Probe) -> Subject:
    now = datetime.now(UTC)
    return Subject(
        job=f"job{number}", user="", run=f"r{number}", sid=f"s{number}", attempt=1,
        pid=os.getpid(), started_at=now, ready_at=now, cwd="/",
        check=Health(type=kind, probe=probe),
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["process", "tcp", "file", "http"])
def test_five_hundred_checks_cost_little(kind: str, nginx: Servers, tmp_path: Path) -> None:
    (tmp_path / "mark").touch()
    address = f"127.0.0.1:{nginx.nginx_port}"
    probe = Probe(
        url=f"http://{address}/", expected_body="well served", address=address,
        path=str(tmp_path / "mark"), max_age_s=3600.0,
    )  # fmt: skip
    subjects = [subject(number, HealthType(kind), probe) for number in range(CHECKS)]

    async def look_at_all() -> float:
        probes = Probes(never, confidant())
        assert await probes.look(subjects[0], 10.0) is None  # what is loaded once is loaded
        begun = time.process_time()
        for number in range(0, CHECKS, 20):
            async with trio.open_nursery() as nursery:
                for one in subjects[number : number + 20]:
                    nursery.start_soon(look, probes, one)
        return time.process_time() - begun

    async def look(probes: Probes, one: Subject) -> None:
        assert await probes.look(one, 10.0) is None

    async def never(*_args: object, **_kwargs: object) -> dict[str, object]:
        raise AssertionError("no supervisor is asked")

    spent_s = trio.run(look_at_all)

    percent = 100 * spent_s / INTERVAL_S
    print(
        f"\n{CHECKS} checks of kind {kind}: {1000 * spent_s / CHECKS:.2f} ms each;"
        f" every {INTERVAL_S:g} s: {percent:.1f} % of a processor"
    )
    assert percent <= MOST_PERCENT


def test_http_costs_memory_only_where_it_is_checked() -> None:
    code = (
        "import sys, {0}\n"
        "[rss] = [line for line in open('/proc/self/status') if line.startswith('VmRSS')]\n"
        "print(rss.split()[1], 'httpx' in sys.modules)"
    )
    found = {}
    for module in ("claw.master.app", "claw.master.app, claw.master.checks.http"):
        argv = [sys.executable, "-c", code.format(module)]
        out = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()
        found[module] = (int(out[0]), out[1])

    (plain, has_httpx), (loaded, _) = found.values()
    print(f"\nthe master's modules: {plain} KiB, with httpx {loaded} KiB")
    assert has_httpx == "False"
