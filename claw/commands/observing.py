"""The commands that tell how claw itself is doing."""

from __future__ import annotations

from claw.commands.command import DAEMON, Command

COMMANDS = (
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
