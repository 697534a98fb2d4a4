"""Jobs that are there for one run only: found by name as any other, while there is history.

Those with open runs are kept in `claw.model.job.Transients`, which all configurations of a
master share, and which the next master fills from the store; the others are read again when
somebody asks for them.
"""

from claw.config.transient import build_transient
from claw.errors import UsageError
from claw.master.engine import confinement
from claw.model.job import Config, Job
from claw.model.transient import Transient
from claw.store.records import Tx


def made(name: str, stored: dict[str, object]) -> Job:
    """Return the job of a stored definition.

    Raises:
        UsageError: It is not one any more.
    """
    groups = stored.get("groups")
    about = Transient(
        groups=tuple(groups) if isinstance(groups, list) else None,
        after=str(stored.get("after") or ""),
    )
    table = stored["table"]
    job = build_transient(name, table if isinstance(table, dict) else {}, about)
    bounds = stored.get("bounds")
    return confinement.confined(job, bounds if isinstance(bounds, dict) else {})


def recall(tx: Tx, config: Config, name: str) -> Job | None:
    """Return the job of a name, of the configuration or of one run; None: there is none."""
    found = config.job(name)
    if found is not None:
        return found
    stored = tx.transient(name)
    if stored is None:
        return None
    try:
        job = made(name, stored)
    except UsageError:  # of another version, which knew other keys
        return None
    config.transients.keep(job)
    return job


def load(tx: Tx, config: Config) -> None:
    """Take in the jobs of all open runs; what is no job any more is left out."""
    for name, stored in tx.open_transients().items():
        try:
            config.transients.add(made(name, stored))
        except UsageError:
            continue
