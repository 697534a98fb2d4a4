"""The commands about workflows: steps that need each other, run as one."""

from __future__ import annotations

from claw.commands import kinds
from claw.commands.command import RUNS, Command, argument, flag, option, rest

_WORKFLOW = argument("workflow", kinds.WORKFLOW, "its name, or six letters of its id")
_COMPOSED = (
    option("name", kinds.TEXT, "what to call it; default: chain-, group-, chord- ..."),
    option("env", kinds.SETTING, "set a variable for all steps", many=True),
    flag("wait", "return when it has ended; 0: well"),
    flag("follow", "the same, and say what becomes of its steps meanwhile"),
)
_KEPT = (
    " Prints the workflow's id; it is shown by `clawctl workflow show`, and ended with all its"
    " steps by `clawctl cancel`. A job may be named twice."
)

COMMANDS = (
    Command(
        "chain",
        RUNS,
        "run jobs one after the other, each if the last went well",
        verb="workflows:chain",
        reply="submitted",
        method="workflow.compose",
        params=(
            argument("jobs", kinds.JOB, "the jobs, in their order", many=True),
            option("on_failure", kinds.ON_FAILURE, "what follows a failure; default stop"),
            *_COMPOSED,
        ),
        detail=f"With `--on-failure continue` all run, whatever became of the last.{_KEPT}",
        examples=(
            ("clawctl chain fetch build deploy", "three jobs, up to the first that fails"),
            ("clawctl chain fetch build --follow", "and see how it goes"),
        ),
    ),
    Command(
        "group",
        RUNS,
        "run jobs side by side, as one",
        verb="workflows:group",
        reply="submitted",
        method="workflow.compose",
        params=(
            argument("jobs", kinds.JOB, "the jobs", many=True),
            option("on_failure", kinds.ON_FAILURE, "what follows a failure; default continue"),
            *_COMPOSED,
        ),
        detail=f"It has succeeded when all of them have.{_KEPT}",
        examples=(("clawctl group lint test --wait", "both; 0 when both went well"),),
    ),
    Command(
        "chord",
        RUNS,
        "run jobs side by side, and one more after all of them",
        verb="workflows:chord",
        reply="submitted",
        method="workflow.compose",
        params=(
            argument("jobs", kinds.JOB, "the jobs", many=True),
            rest("callback", kinds.JOB, "the job that runs when all have ended"),
            option("on", kinds.ON, "after which ends it runs; default complete"),
            *_COMPOSED,
        ),
        detail=(
            "The last job runs whatever became of the others, and is told of each"
            " (CLAW_STEP_<JOB>_STATUS, _EXIT); with `--on success` only if all went well."
            f"{_KEPT}"
        ),
        examples=(
            ("clawctl chord north south -- report", "report, when both have ended"),
            ("clawctl chord a b --on success -- publish", "only if both went well"),
        ),
    ),
    Command(
        "workflow list",
        RUNS,
        "list workflows, newest first",
        verb="workflows:list_workflows",
        reply="workflows",
        method="workflow.list",
        params=(
            option("job", kinds.JOB, "only of this name"),
            option("limit", kinds.COUNT, "at most so many; default 20", short="n"),
        ),
        examples=(("clawctl workflow list", "what ran, and what runs"),),
    ),
    Command(
        "workflow show",
        RUNS,
        "show a workflow: its steps, drawn, and how they stand",
        verb="workflows:show",
        reply="workflow",
        method="workflow.show",
        params=(_WORKFLOW,),
        detail="Of a name the newest one is shown.",
        examples=(
            ("clawctl workflow show nightly", "the last one of that name"),
            ("clawctl workflow show 4fj2k9", "that one"),
        ),
    ),
    Command(
        "workflow cancel",
        RUNS,
        "end a workflow and all its open steps",
        verb="workflows:cancel",
        reply="canceled",
        method="run.cancel",
        params=(_WORKFLOW, option("reason", kinds.TEXT, "why, for the record")),
        examples=(("clawctl workflow cancel nightly", "the one that runs"),),
    ),
    Command(
        "workflow retry",
        RUNS,
        "run a workflow again from a step on, keeping the rest",
        verb="workflows:retry",
        reply="submitted",
        method="workflow.retry",
        params=(
            _WORKFLOW,
            option("from", kinds.NAME, "the step; default: all that ended badly"),
            flag("wait", "return when it has ended; 0: well"),
            flag("follow", "the same, and say what becomes of its steps meanwhile"),
        ),
        detail=(
            "The step and all that need it run again, under the same id; the others count as"
            " they ended, and what they left is handed on as before."
        ),
        examples=(
            ("clawctl workflow retry nightly", "from what went wrong"),
            ("clawctl workflow retry 4fj2k9 --from load", "from that step on"),
        ),
    ),
    Command(
        "workflow graph",
        RUNS,
        "draw the steps of a workflow, or print them for a tool",
        verb="workflows:graph",
        reply="flowgraph",
        method="workflow.show",
        params=(
            _WORKFLOW,
            flag("dot", "as Graphviz reads it"),
            flag("mermaid", "as Mermaid reads it"),
        ),
        examples=(
            ("clawctl workflow graph nightly", "the drawing alone"),
            ("clawctl workflow graph nightly --dot > nightly.dot", "for Graphviz"),
        ),
    ),
)
