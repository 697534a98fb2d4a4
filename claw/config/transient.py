"""From the table of a job that is there for one run only to a `claw.model.job.Job`.

The keys are those of any job, checked and built by the same code; the ones that make sense
for one run are `KEYS`. ``[defaults]`` is for jobs of files and says nothing here.
"""

import os
from collections.abc import Mapping
from dataclasses import replace

from claw.config import fields
from claw.config.build import Draft, build
from claw.config.check import Checker
from claw.config.locate import Path, locate
from claw.config.report import Report, dotted
from claw.errors import UsageError
from claw.model.job import Job
from claw.model.transient import Transient

KEYS = frozenset(
    {
        "argv", "cwd", "description", "grace_period", "group", "inherit_env", "kill_mode",
        "pool", "priority", "retry", "stop_signal", "success_codes", "tags", "timeout",
        "umask", "user",
    }
)  # fmt: skip
"""What such a job may say. Nothing else is let in: who may run things as themselves must not
have the daemon open sockets, raise limits or pass over its own rights for them."""

_FILE = "run"


class _Listener(Checker):
    """Keeps what is wrong, to be told without a file and a line."""

    def __init__(self) -> None:
        super().__init__(_FILE, locate(""), Report([_FILE]))
        self.told: list[str] = []

    def wrong(self, path: Path, text: str) -> None:
        """Take in a mistake at a key path."""
        super().wrong(path, text)
        self.told.append(f"{dotted(path)}: {text}" if path else text)


def build_transient(name: str, table: Mapping[str, object], about: Transient) -> Job:
    """Return the job.

    Raises:
        UsageError: The table is not that of a job; says each mistake.
    """
    for key in table.keys() - KEYS:
        raise UsageError(f"{key}: not for a run without a job: clawctl job add")
    checker = _Listener()
    draft = Draft(
        name=name,
        values=checker.section(fields.JOB, table, ()),
        zone="UTC",
        zone_problem="",
        umask=0o022,
        folder="/",
        default_cwd="",
        uid=os.geteuid(),
    )
    job = build(draft, checker, ())
    if job is None:
        raise UsageError("; ".join(checker.told) or "that is no job")
    return replace(job, file="", line=0, transient=about)
