"""The keys of ``[jobs.X.approval]``."""

from claw.config import kinds, processkinds
from claw.config.kinds import Kind, argument, optional
from claw.config.table import Applies, Field
from claw.model.approval import GROUP, OnTimeout


def _decider(value: object) -> str:
    text = argument(value)
    is_group = text.startswith(GROUP)
    account = processkinds.ACCOUNT.parse(text[len(GROUP) :] if is_group else text)
    if not account:
        raise ValueError('a user, or a group like "group:release", is expected')
    return f"{GROUP}{account}" if is_group else account


DECIDER = Kind("user or `group:NAME`", _decider, {"type": "string"})


class ApprovalKeys:
    """Each run waits until somebody has approved it. Not for `continuous` jobs."""

    required = Field(
        kinds.SWITCH,
        True,
        "With false runs need no approval, whatever `[defaults]` says.",
        applies=Applies.LIVE,
    )
    by = Field(
        kinds.list_of(DECIDER, most=100),
        [],
        'Who may decide: users, and groups as `"group:release"`; root too only when named.'
        " Empty: whoever may operate this daemon.",
        applies=Applies.LIVE,
    )
    self = Field(
        optional(kinds.SWITCH),
        None,
        "Whether the one who asked for a run, or for the one that it came of, may decide.",
        applies=Applies.LIVE,
        attr="allows_self",
        shown="false with `by`, else true",
    )
    timeout = Field(
        kinds.DURATION,
        "1h",
        "So long somebody may decide, also over a time without a daemon; 0: for ever.",
        applies=Applies.LIVE,
        attr="timeout_s",
    )
    on_timeout = Field(
        kinds.member_of(OnTimeout),
        "reject",
        "What holds when nobody has.",
        applies=Applies.LIVE,
    )
