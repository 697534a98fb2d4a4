"""What `claw.config.keys.approval` says of a job, judged as a whole and made into values."""

from collections.abc import Callable, Iterator

from claw.config.check import Values
from claw.config.fields import JobKeys
from claw.config.keys.approval import ApprovalKeys
from claw.config.kinds import nearest, show
from claw.config.locate import Path
from claw.kernel import accounts
from claw.model.approval import GROUP, Approval
from claw.model.job import JobType

Fault = tuple[Path, str]
_make_approval: Callable[..., Approval] = Approval


def rule(table: Values) -> Approval | None:
    """Return the rule that an ``approval`` table comes to, be it empty; None: not required."""
    if not table[ApprovalKeys.required]:
        return None
    by, allows_self = table[ApprovalKeys.by], table[ApprovalKeys.self]
    return _make_approval(
        by=by,
        allows_self=not by if allows_self is None else allows_self,
        timeout_s=table[ApprovalKeys.timeout],
        on_timeout=table[ApprovalKeys.on_timeout],
    )


def values_of(values: Values, kind: JobType) -> dict[str, object]:
    """Return the attributes of a job that say whether its runs have to be approved."""
    is_gated = kind is not JobType.CONTINUOUS and values.has_table("approval")
    return {
        "approval": rule(values.table("approval")) if is_gated else None,
        "max_pending_approvals": values[JobKeys.max_pending_approvals],
    }


def faults(values: Values, kind: JobType) -> Iterator[Fault]:
    """Yield what no run could be approved by."""
    if not values.says_table("approval"):
        return
    if kind is JobType.CONTINUOUS:
        yield ("approval",), "a service begins by itself, and again and again: remove it"
        return
    yield from unknown(values.table("approval"), ("approval",))


def unknown(table: Values, path: Path) -> Iterator[Fault]:
    """Yield those of an ``approval`` table's `by` that are nobody here."""
    if not table.says(ApprovalKeys.by):
        return
    named = table[ApprovalKeys.by]
    for index, one in enumerate(named):
        is_group = one.startswith(GROUP)
        name, what = (one[len(GROUP) :], "group") if is_group else (one, "user")
        find = accounts.group_id if is_group else accounts.user_id
        if find(name) is None:
            known = accounts.group_names() if is_group else accounts.user_names()
            near = nearest(name, known)
            yield (*path, "by", index), f"there is no {what} {show(name)} here{near}"
