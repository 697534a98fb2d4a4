"""The keys of workflows and of their steps."""

from dataclasses import replace

from claw.config import kinds
from claw.config.environment import ENV
from claw.config.kinds import Kind, optional, plain, show
from claw.config.table import Applies, Field
from claw.model.condition import Condition, parse
from claw.model.workflow import STEP_NAME, On, OnBadEnd


def _step_name(value: object) -> str:
    text = plain(value)
    if not STEP_NAME.fullmatch(text):
        raise ValueError(f"{show(text)} is no step's name: letters, digits, _ and - only")
    return text


STEP = Kind("step", _step_name, {"type": "string", "pattern": f"^{STEP_NAME.pattern}$"})


def _condition(value: object) -> Condition:
    return parse(plain(value))


CONDITION = Kind("condition", _condition, {"type": "string"})


class WorkflowOwnKeys:
    """See `claw.config.workflowfields.WorkflowKeys`, which these keys are part of."""

    params = Field(
        replace(ENV, refers=False),
        {},
        "Variables of all steps, with their defaults: `clawctl run NAME --env KEY=VALUE` sets"
        " others for one run, and no other names.",
        applies=Applies.NEXT,
    )
    max_parallel = Field(
        kinds.integer(0, 10_000),
        0,
        "So many steps run at once; 0: all that can.",
        applies=Applies.NEXT,
    )
    timeout = Field(
        kinds.DURATION,
        "0",
        "Time for the whole workflow, after which its open steps are ended, and it is"
        " `timed_out`; 0: none.",
        applies=Applies.NEXT,
        attr="timeout_s",
    )
    on_failure = Field(
        kinds.member_of(OnBadEnd),
        "stop",
        "After a step that ended badly, `stop`: what runs goes on, and nothing new begins but"
        " steps with `on` failure or complete; `continue`: steps that do not need it begin.",
        applies=Applies.NEXT,
    )


class StepOwnKeys:
    """See `claw.config.workflowfields.StepKeys`, which these keys are part of."""

    job = Field(
        optional(kinds.LINE),
        None,
        "The job to run, instead of a `command` or `argv` of the step's own.",
        applies=Applies.NEXT,
    )
    needs = Field(
        kinds.list_of(STEP),
        [],
        "The steps that have to end first.",
        applies=Applies.NEXT,
    )
    on = Field(
        kinds.member_of(On),
        "success",
        "When it begins once they have: `success`, all have succeeded; `failure`, at least one"
        " ended badly; `complete`, whatever became of them. Else it is left out.",
        applies=Applies.NEXT,
    )
    when = Field(
        optional(CONDITION),
        None,
        "A condition on the run of each step that it needs, else it is left out:"
        " `contains:TEXT`, `regex:PATTERN`, `exit:N`, `json:PATH=VALUE`.",
        applies=Applies.NEXT,
    )
