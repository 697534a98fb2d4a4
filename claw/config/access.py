"""From the values of ``[control]`` to those of `claw.model.job.Daemon`."""

from claw.config.check import Values
from claw.config.keys.access import ControlKeys, RoleKeys
from claw.model.access import Members, Roles

_ALONE, _FOR_ALL = 0o600, 0o666
"""Modes of the socket: for the owner, or for all, of whom the kernel then says who they are."""


def read(control: Values) -> dict[str, object]:
    """Return the values by attribute."""
    tables = control.table("roles")
    roles = Roles(
        viewer=_members(tables.table("viewer")),
        operator=_members(tables.table("operator")),
        admin=_members(tables.table("admin")),
    )
    mode = control.or_default(ControlKeys.mode)
    if mode is None:
        mode = _FOR_ALL if roles.is_set else _ALONE
    return {
        "control_mode": mode,
        "token_file": control.or_default(ControlKeys.token_file),
        "roles": roles,
    }


def _members(values: Values) -> Members:
    return Members(values.or_default(RoleKeys.users), values.or_default(RoleKeys.groups))
