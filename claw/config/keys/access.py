"""The keys of ``[control]``, and what an operator may give a run."""

from claw.config import kinds
from claw.config.environment import ENV_NAME
from claw.config.kinds import Kind, optional, show, unlike
from claw.config.processkinds import ACCOUNT
from claw.config.table import Applies, Field
from claw.model.access import ARGUMENTS, is_dangerous


def _param(value: object) -> str:
    if value == ARGUMENTS:
        return ARGUMENTS
    name = ENV_NAME.parse(value)
    if is_dangerous(name):
        raise ValueError(
            f"{show(name)} can make a program run something else: no operator may set it"
        )
    return name


PARAM = Kind(
    'name, or `"--arg"`',
    _param,
    {"type": "string", "pattern": f"^([A-Za-z_][A-Za-z0-9_]*|{ARGUMENTS})$"},
)


def _member(value: object) -> str:
    found = ACCOUNT.parse(value)
    if not found:
        raise unlike("the name of a user or group", value)
    return found


_MEMBER = Kind(ACCOUNT.label, _member, ACCOUNT.schema)


def _file(value: object) -> str:
    text = kinds.LINE.parse(value)
    if text and not text.startswith("/"):
        raise ValueError(f"{show(text)} has to be an absolute path")
    return text


class ControlKeys:
    """The control socket, and who may use it. In claw.toml only. See docs/access.md."""

    mode = Field(
        optional(
            kinds.octal(needed=0o600, needed_why="the daemon's own user could not connect")
        ),
        None,
        "Permissions of the socket's file.",
        applies=Applies.LIVE,
        attr="control_mode",
        shown='`"0600"`; with `roles` `"0666"`',
    )
    token_file = Field(
        Kind("path", _file, {"type": "string"}),
        "",
        "File with a token that clients must show who come by a forwarded socket: through"
        " sshd, or as a process that this host's kernel cannot name. It belongs to root or to"
        " the daemon's user, and nobody else may read it.",
        applies=Applies.LIVE,
    )


class RolesKeys:
    """Who else may use the socket: a table each for `viewer`, `operator` and `admin`."""


class RoleKeys:
    """Who has this role, beside those who have a higher one. Root and the owner are admin."""

    users = Field(kinds.list_of(_MEMBER), [], "Users.", applies=Applies.LIVE)
    groups = Field(
        kinds.list_of(_MEMBER),
        [],
        "Groups: all processes that are in one, by the kernel's word.",
        applies=Applies.LIVE,
    )
