"""A dress rehearsal: the fork server lives through a few short runs before it serves.

A page of memory that a supervisor writes to is its own from then on. An interpreter writes
to many when code runs for the first times: it specialises bytecode, fills its cache of
methods and makes objects that it then keeps. When all of that has happened before the fork,
supervisors go on sharing those pages: each costs a fifth less.
"""

import gc

from claw.kernel import channel, files, limits, process, signals, ticks
from claw.kernel.bare import os
from claw.supervisor.handed import Handed
from claw.supervisor.main import Supervisor
from claw.supervisor.output import PIPE_BYTES
from claw.wire.supervision import OUTPUTS, Ladder, Launch

_RUNS = 10
"""CPython 3.11 specialises the code of a function that is called for the eighth time."""
_AHEAD_S = 0.001
_MEMORY = "/dev/shm"  # noqa: S108
"""A file system of memory (shm_overview(7)): syncs, of which runs make many, are free."""


def rehearse(folder: str, keep: set[int]) -> None:
    """Supervise ``true`` a few times; where something is short or forbidden, fewer.

    Args:
        folder: Where the files of these runs are for a moment, when memory cannot be used.
        keep: The descriptors of this process; others are closed.
    """
    if files.is_folder(_MEMORY):
        folder = f"{_MEMORY}/claw-rehearsal.{os.getpid()}"
    marking = limits.marking()
    try:
        os.mkdir(folder, 0o700)
    except OSError:
        return
    try:
        for number in range(_RUNS):
            for is_plain in (False, True):
                _perform(f"{folder}/{number}.{is_plain}", is_plain=is_plain)
                signals.forget_descriptor()
                gc.collect()  # closes what is unreachable, before its numbers are used again
                files.close_all_but(keep)
    except OSError:
        return
    finally:
        files.remove_folder(folder)
        limits.restore_marking(marking)


def _perform(folder: str, *, is_plain: bool) -> None:
    """Supervise a service that is restarted once, or a run that is armed."""
    launch = Launch.decode(_launch(folder).encode())
    files.make_folder(folder)
    ours, theirs = channel.pair()
    if is_plain:
        launch.restart = None
        launch.begin_at, launch.crowd_s = ticks.wall() + _AHEAD_S, _AHEAD_S
        files.create_exclusive(f"{folder}/{launch.run}.{launch.attempt}", b"")
        ours.close()  # else another run would be waited for
    handed = Handed(
        kept=dict(zip(OUTPUTS[0], files.make_pipe(PIPE_BYTES), strict=True)),
        open_files=(1024, 1024),
        lock_fd=files.open_lock(f"{folder}/lock"),
        link_fd=theirs.detach(),
        parent=os.getppid(),
    )
    Supervisor(launch, handed).run()
    ours.close()


def _launch(folder: str) -> Launch:
    return Launch(
        sid="rehearsal", run="rehearsal", attempt=1, job="rehearsal", cause="start",
        origin="manual", origin_key="", slot=None, argv=["true"], cwd="/",
        env={"PATH": process.DEFAULT_PATH}, umask=0o022, success_codes=[0], timeout_s=1.0,
        stop_signal=15, grace_s=0.0, kill_mode="tree",
        restart=Ladder(
            policy="always", delays_s=[0.0], jitter=0.0, reset_after_s=1.0, start_limit=2,
            start_limit_window_s=60.0,
        ),
        out_path=f"{folder}/out", err_path="", stderr="merge", log_mode=0o600, spool=folder,
        run_dir=f"{folder}/run", launch_dir=folder, heartbeat_s=30.0, ready_delay_s=0.0,
    )  # fmt: skip
