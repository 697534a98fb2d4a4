"""Jobs that runs make: what their ``origin`` says of the run.

A job of a configuration that a run's child has added names that run, and how deep it was: its
own runs are deeper by one, even when the run that made it is forgotten.
"""

import re

_ORIGIN = re.compile(r"run:(r[0-9a-v]{26}):(\d{1,2})", re.ASCII)


def origin_of(run: str, depth: int) -> str:
    """Return the ``origin`` of a job that a run has made.

    Args:
        run: Its id.
        depth: How many runs came before it.
    """
    return f"run:{run}:{depth}"


def maker_of(origin: object) -> tuple[str, int] | None:
    """Return the run that has made a job, and its depth; None: no run has."""
    found = _ORIGIN.fullmatch(origin) if isinstance(origin, str) else None
    return None if found is None else (found[1], int(found[2]))
