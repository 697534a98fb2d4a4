"""The commands about runs that begin only once somebody has approved them."""

from __future__ import annotations

from claw.commands import kinds
from claw.commands.command import RUNS, Command, argument, flag, option

_REASON = argument("reason", kinds.TEXT, "why, for the record", many=True, required=False)
_RUN = argument("run", kinds.PENDING, "six or more letters of its id; or a batch")

COMMANDS = (
    Command(
        "approve",
        RUNS,
        "let a run begin that waits for approval",
        verb="approvals:approve",
        reply="approved",
        method="approval.approve",
        params=(_RUN, _REASON),
        detail=(
            "Only those may whom the job names in `approval.by`, as the kernel knows them: of"
            " root's daemon also users who may do nothing else there."
        ),
        examples=(("clawctl approve 4fj2k9 tested on staging", "one run, and why"),),
    ),
    Command(
        "reject",
        RUNS,
        "cancel a run that waits for approval",
        verb="approvals:reject",
        reply="approved",
        method="approval.reject",
        params=(_RUN, _REASON),
        examples=(("clawctl reject 4fj2k9 not on a Friday", "the run keeps who and why"),),
    ),
    Command(
        "approvals list",
        RUNS,
        "list the runs that wait for approval",
        verb="approvals:list_approvals",
        reply="approvals",
        method="approval.list",
        params=(
            flag("all", "also what was decided, newest first"),
            option("job", kinds.JOB, "only of this job"),
            option("limit", kinds.COUNT, "at most so many; default 100", short="n"),
        ),
        examples=(
            ("clawctl approvals list", "what waits for somebody to decide"),
            ("clawctl approvals list --all --job deploy", "who approved what"),
        ),
    ),
)
