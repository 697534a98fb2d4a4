"""The commands that tell how claw itself is doing."""

from __future__ import annotations

from claw.commands import kinds
from claw.commands.command import DAEMON, Command, argument, flag

COMMANDS = (
    Command(
        "doctor",
        DAEMON,
        "look for what is wrong, and say what to do about it",
        verb="observing:doctor",
        reply="findings",
        method="doctor.check",
        params=(flag("problems", "leave out what is as it should be", short="p"),),
        detail=(
            "The daemon looks at itself, its home and the machine; without a daemon, clawctl "
            "looks at what it can. Exit 1 when something does not work."
        ),
        examples=(
            ("clawctl doctor", "each check: PASS, WARN, FAIL or SKIP"),
            ("clawctl doctor -p", "only what asks for somebody"),
        ),
    ),
    Command(
        "audit seen",
        DAEMON,
        "say that what is wrong with the audit log was seen to",
        verb="observing:seen",
        reply="seen",
        method="audit.seen",
        params=(argument("marks", kinds.TEXT, "as doctor tells them", many=True),),
        detail=(
            "A file of audit.log that is lost stays lost: compare what is there with a backup, "
            "then say so. That you have is in audit.log; doctor tells of it no more."
        ),
        examples=(("clawctl audit seen 3f2a9c1d0b7e", "the mark is in what doctor says"),),
    ),
    Command(
        "metrics",
        DAEMON,
        "show all figures as Prometheus reads them",
        verb="observing:metrics",
        reply="rawtext",
        method="daemon.metrics",
        detail=(
            "daemon.metrics_file has them written to a file, for node_exporter. "
            "docs/metrics.md says what each means."
        ),
        examples=(("clawctl metrics", "of the daemon and all jobs"),),
    ),
)
