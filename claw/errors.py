"""The one tree of errors, with the codes and exit statuses that users see.

::

    ClawError                     code                 exit  JSON-RPC
    ├── UsageError                usage                2     -32602
    │   └── UnknownMethodError    unknown_method       2     -32601
    ├── ConfigError               config_invalid       2     -32010   carries every diagnostic
    ├── RequestError              request_failed       1     -32000
    │   ├── NotFoundError         not_found            4     -32001   no such job, run, target
    │   ├── ConflictError         conflict             1     -32002   the state forbids it
    │   ├── DeniedError           denied               5     -32003   the role forbids it
    │   ├── UnsupportedError      unsupported          1     -32004   not available
    │   ├── SaturatedError        saturated            1     -32005   a limit is reached
    │   └── TimedOutError         timed_out            6     -32006
    ├── UnreachableError          unreachable          7     -32007   no master answers
    ├── ProtocolError             protocol             1     -32700   a line that is no message
    │   └── InvalidRequestError   invalid_request      1     -32600   JSON, but no request
    ├── InternalError             internal             70    -32603   nobody foresaw it: a bug
    ├── SpawnError                spawn_failed         1     -32008   names the step and errno
    └── StoreError                store_failed         1     -32009
        ├── StoreLockedError      store_locked         1     -32009   another master runs
        └── StoreTooNewError      store_too_new        1     -32009   written by a newer claw

A process that fails, is killed or runs out of time is an outcome, a value, and never
one of these. Codes are stable strings on the wire.
"""

BUG_EXIT_STATUS = 70
"""What ``clawctl`` and ``clawd`` exit with on an error that nobody foresaw (EX_SOFTWARE)."""


class ClawError(Exception):
    """Something that a caller or a user can act on: what failed, and what to do next."""

    code = "failed"
    exit_status = 1
    rpc_code = -32000

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ClawError):
    """The words of a command, or the parameters of a request, are not understood."""

    code = "usage"
    exit_status = 2
    rpc_code = -32602


class UnknownMethodError(UsageError):
    """The protocol has no method of that name."""

    code = "unknown_method"
    rpc_code = -32601


class ConfigError(ClawError):
    """The configuration is refused; ``diagnostics`` has one line per mistake."""

    code = "config_invalid"
    exit_status = 2
    rpc_code = -32010

    def __init__(
        self, message: str, *, diagnostics: tuple[str, ...] = (), hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.diagnostics = diagnostics


class RequestError(ClawError):
    """A request was understood and could not be carried out."""

    code = "request_failed"


class NotFoundError(RequestError):
    """No job, run or other target of that name."""

    code = "not_found"
    exit_status = 4
    rpc_code = -32001


class ConflictError(RequestError):
    """The present state does not allow it."""

    code = "conflict"
    rpc_code = -32002


class DeniedError(RequestError):
    """The caller may not do that."""

    code = "denied"
    exit_status = 5
    rpc_code = -32003


class UnsupportedError(RequestError):
    """A feature that this version, or this machine, does not have."""

    code = "unsupported"
    rpc_code = -32004


class SaturatedError(RequestError):
    """A limit is reached; the same request may succeed later."""

    code = "saturated"
    rpc_code = -32005


class TimedOutError(RequestError):
    """What was waited for did not happen in time."""

    code = "timed_out"
    exit_status = 6
    rpc_code = -32006


class UnreachableError(ClawError):
    """No master answers on the control socket."""

    code = "unreachable"
    exit_status = 7
    rpc_code = -32007


class ProtocolError(ClawError):
    """Bytes on a socket are no message of the protocol."""

    code = "protocol"
    rpc_code = -32700


class InvalidRequestError(ProtocolError):
    """A line is JSON and no request; ``request_id`` is the id it gave, if it gave one."""

    code = "invalid_request"
    rpc_code = -32600

    def __init__(
        self, message: str, *, request_id: int | str | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.request_id = request_id


class InternalError(ClawError):
    """Something that nobody foresaw went wrong in the master; its log has the details."""

    code = "internal"
    exit_status = BUG_EXIT_STATUS
    rpc_code = -32603


class SpawnError(ClawError):
    """A child could not be started; names the step (chdir, exec, ...) and errno."""

    code = "spawn_failed"
    rpc_code = -32008


class StoreError(ClawError):
    """The database cannot do what was asked."""

    code = "store_failed"
    rpc_code = -32009


class StoreLockedError(StoreError):
    """Another master holds this home."""

    code = "store_locked"


class StoreTooNewError(StoreError):
    """The database was written by a newer claw."""

    code = "store_too_new"
