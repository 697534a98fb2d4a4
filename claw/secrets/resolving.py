"""Looks up what references stand for; blocks.

What is wrong is told by the name of what was asked for, never by what was found.
"""

from collections.abc import Callable, Iterable, Mapping

from claw.errors import ClawError
from claw.kernel import files
from claw.kernel.causes import reason
from claw.model.reference import Reference, Source

MOST_BYTES = 64 << 10
"""A longer value is no password, and Linux would take it in no environment."""
_CREDENTIALS = "CREDENTIALS_DIRECTORY"


class UnresolvedError(ClawError):
    """Something that is referred to is not there; says what, and why.

    Attributes:
        is_passing: It may be there in a while: who keeps it does not answer.
    """

    code = "unresolved"

    def __init__(self, message: str, *, hint: str = "", is_passing: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.is_passing = is_passing


Secrets = Callable[[str], str]
"""Returns the value of a secret; raises `UnresolvedError`."""


class Resolver:
    """See the module."""

    def __init__(self, environment: Mapping[str, str], secret: Secrets) -> None:
        """Take where things are looked up.

        Args:
            environment: The daemon's.
            secret: Looks up one of claw's own secrets.
        """
        self._environment = environment
        self._ways: dict[Source, Callable[[str], str]] = {
            Source.SECRET: secret,
            Source.ENV: self._variable,
            Source.CREDENTIAL: self._credential,
            Source.FILE: _file,
        }

    def resolve(
        self, wanted: Iterable[Reference], *, for_another: bool = False
    ) -> dict[Reference, str]:
        """Return the value of each reference.

        Args:
            wanted: What is referred to.
            for_another: The values are for a process of another user, whom root must not
                show files that this user has chosen.

        Raises:
            UnresolvedError: One is not there.
        """
        found: dict[Reference, str] = {}
        for one in wanted:
            try:
                if for_another and one.source is Source.FILE:
                    _check_roots_own(one.name)
                value = self._ways[one.source](one.name)
            except OSError as error:
                raise UnresolvedError(f"{one}: {reason(error)}") from error
            if "\0" in value:
                raise UnresolvedError(
                    f"{one}: it holds a NUL byte, which no program can be given"
                )
            found[one] = value
        return found

    def _variable(self, name: str) -> str:
        if name not in self._environment:
            raise UnresolvedError(f"${{env:{name}}}: clawd's environment has no {name}")
        return self._environment[name]

    def _credential(self, name: str) -> str:
        folder = self._environment.get(_CREDENTIALS)
        if not folder:
            raise UnresolvedError(
                f"${{credential:{name}}}: clawd was given no credentials (LoadCredential= of"
                " its systemd unit)"
            )
        try:
            return _file(f"{folder}/{name}")
        except UnresolvedError as error:
            raise UnresolvedError(f"${{credential:{name}}}: {error.message}") from error


def _file(path: str) -> str:
    """Return what a file says, without the newline at its end.

    Raises:
        OSError: It cannot be read.
        UnresolvedError: It is too long, or no text.
    """
    data, _facts = files.read_regular(path, MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise UnresolvedError(f"{path}: longer than {MOST_BYTES >> 10} KiB")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise UnresolvedError(f"{path}: it is no text in UTF-8") from None
    return text.removesuffix("\n").removesuffix("\r")


def _check_roots_own(path: str) -> None:
    if not files.is_roots_own(path):
        raise UnresolvedError(
            f"${{file:{path}}}: others than root may change it, or a folder on the way: for a"
            " job of another user it has to be root's own"
        )
