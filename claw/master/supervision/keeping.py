"""The descriptors of a run, by name, that outlive any one of its supervisors.

See `claw.wire.supervision` for the names. The fork server keeps them while the run goes on.
"""

import os

from claw.kernel import files
from claw.supervisor.output import PIPE_BYTES
from claw.wire.supervision import MEMORY, OUTPUTS, Launch


def make_kept(launch: Launch) -> dict[str, int]:
    """Return what the supervisors of a launch are to have.

    Raises:
        OSError: There is no memory or descriptor for it now; nothing is left open.
    """
    kept: dict[str, int] = {}
    try:
        kept[MEMORY] = files.sealed_memory(f"claw:{launch.job}", launch.encode())
        for names in OUTPUTS[: 2 if launch.stderr == "separate" else 1]:
            kept.update(zip(names, files.make_pipe(PIPE_BYTES), strict=True))
    except OSError:
        close(kept)
        raise
    return kept


def close(kept: dict[str, int]) -> None:
    """Close descriptors that are of no use any more."""
    for fd in kept.values():
        os.close(fd)
    kept.clear()
