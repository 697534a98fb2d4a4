"""A supervisor's case in this process, without its loop: for tests of one part of it."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from claw.supervisor.case import Case
from claw.supervisor.handed import Handed
from claw.wire.supervision import OUTPUTS, Launch


def launch_in(folder: Path, **said: Any) -> Launch:
    """Return the launch of a plain run whose files are in a folder.

    Args:
        folder: Where; its spool is ``spool``.
        said: What it says beside, or otherwise; ``run``, ``origin``, ``launch_dir`` at least.
    """
    values: dict[str, Any] = {
        "sid": "s", "attempt": 1, "job": "j", "cause": "start", "origin_key": "", "slot": None,
        "argv": ["true"], "cwd": "/", "env": {}, "umask": 0o022, "success_codes": [0],
        "timeout_s": 0.0, "stop_signal": 15, "grace_s": 0.0, "kill_mode": "process",
        "restart": None, "out_path": str(folder / "out"), "err_path": "", "stderr": "merge",
        "log_mode": 0o600, "spool": str(folder / "spool"), "run_dir": str(folder / "run"),
        "heartbeat_s": 30.0,
    }  # fmt: skip
    return Launch(**{**values, **said})


@contextlib.contextmanager
def case_of(launch: Launch, more: dict[str, int] | None = None) -> Iterator[Case]:
    """Have the case of a launch meanwhile, with its journal open.

    Args:
        launch: Its; the folder of the spool is made.
        more: Descriptors that are kept beside the pipe of its output; they are closed.
    """
    Path(launch.spool).mkdir()
    kept = {**dict(zip(OUTPUTS[0], os.pipe(), strict=True)), **(more or {})}
    handed = Handed(kept=kept, open_files=(64, 64), parent=os.getppid())
    made = Case(launch, handed, lambda _peer, _it: None, lambda: None)
    made.spool.open()
    yield made
    made.control.close()
    for fd in (made.spool.journal_fd, *kept.values()):
        os.close(fd)
