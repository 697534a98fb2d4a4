"""What lies in the memory of fork server and supervisors: this, and nothing else.

Each module more is copied page by page into every supervisor (docs/architecture.md).
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STANDARD = {"_ctypes", "_json", "_socket", "errno", "fcntl", "gc", "resource", "select"}
OWN = {
    "claw",
    "claw.kernel",
    "claw.kernel.alarm",
    "claw.kernel.bare",
    "claw.kernel.cgroup",
    "claw.kernel.channel",
    "claw.kernel.datagrams",
    "claw.kernel.files",
    "claw.kernel.history",
    "claw.kernel.immortal",
    "claw.kernel.libc",
    "claw.kernel.limits",
    "claw.kernel.memory",
    "claw.kernel.pidfd",
    "claw.kernel.pipes",
    "claw.kernel.pools",
    "claw.kernel.process",
    "claw.kernel.signals",
    "claw.kernel.terminal",
    "claw.kernel.ticks",
    "claw.supervisor",
    "claw.supervisor.armed",
    "claw.supervisor.attempts",
    "claw.supervisor.case",
    "claw.supervisor.child",
    "claw.supervisor.console",
    "claw.supervisor.control",
    "claw.supervisor.custody",
    "claw.supervisor.ending",
    "claw.supervisor.entries",
    "claw.supervisor.envfile",
    "claw.supervisor.errands",
    "claw.supervisor.forkserver",
    "claw.supervisor.fostering",
    "claw.supervisor.handed",
    "claw.supervisor.inherited",
    "claw.supervisor.sockets",
    "claw.supervisor.loop",
    "claw.supervisor.machine",
    "claw.supervisor.main",
    "claw.supervisor.notify",
    "claw.supervisor.orphans",
    "claw.supervisor.outfile",
    "claw.supervisor.outfit",
    "claw.supervisor.output",
    "claw.supervisor.presence",
    "claw.supervisor.rehearsal",
    "claw.supervisor.readiness",
    "claw.supervisor.relay",
    "claw.supervisor.requests",
    "claw.supervisor.spool",
    "claw.supervisor.swift",
    "claw.supervisor.tree",
    "claw.supervisor.ward",
    "claw.supervisor.warm",
    "claw.supervisor.wards",
    "claw.wire",
    "claw.wire.flat",
    "claw.wire.lines",
    "claw.wire.supervision",
}


def test_a_fork_server_loads_these_modules_and_no_other() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); there = set(sys.modules)\n"
        "import claw.supervisor.forkserver\n"
        "print(*set(sys.modules) - there - {'posix', '_signal'})"
    )
    argv = [sys.executable, "-I", "-S", "-c", code]

    loaded = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()

    assert set(loaded) == STANDARD | OWN
