"""The file that says which secrets there are: names, versions, times; some values, sealed.

``state/secrets.json``, readable by its owner alone, and always whole: it is replaced at one
stroke. A value that the system's keyring keeps is not in it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from claw.errors import ClawError
from claw.kernel import files, reading
from claw.secrets.derivation import Derivation

FORMAT = 1
_MODE = 0o600


class SecretsError(ClawError):
    """The secrets can be neither read nor written; says why, and what to do.

    Attributes:
        is_passing: It may work in a while.
    """

    code = "secrets"

    def __init__(self, message: str, *, hint: str = "", is_passing: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.is_passing = is_passing


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of one secret.

    Attributes:
        version: 1 for its first value, and one more with each other value.
        changed_at: When it got that.
        sealed: The value; None: the keyring has it.
    """

    version: int
    changed_at: datetime
    sealed: str | None = None

    def beside(self, name: str) -> bytes:
        """Return what is authenticated with the value."""
        return json.dumps([FORMAT, name, self.version, self.changed_at.isoformat()]).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """How the key of sealed values is made, and how one is known to be it.

    Attributes:
        derivation: From what people have.
        kind: What that is: see `claw.secrets.keys.Kind`.
        check: Opens with the right key.
    """

    derivation: Derivation
    kind: str
    check: str


@dataclass(slots=True)
class Contents:
    """All that the file says."""

    lock: Lock | None = None
    entries: dict[str, Entry] = field(default_factory=dict)


class SecretFile:
    """See the module."""

    def __init__(self, path: str) -> None:
        self.path = path

    def load(self) -> Contents:
        """Return what the file says; nothing, when there is none yet.

        Raises:
            SecretsError: It cannot be read, or is none of ours.
        """
        try:
            data = files.read_all(self.path)
        except FileNotFoundError:
            return Contents()
        except OSError as error:
            raise SecretsError(f"{self.path}: {error.strerror}") from error
        try:
            return _contents(json.loads(data))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SecretsError(
                f"{self.path} cannot be understood: {type(error).__name__}",
                hint="restore it from a backup, or move it away and set the secrets again",
            ) from error

    def save(self, contents: Contents) -> None:
        """Have the file say something else, durably.

        Raises:
            SecretsError: It cannot be written; it says what it said.
        """
        text = json.dumps(_as_json(contents), indent=1).encode() + b"\n"
        try:
            reading.replace(self.path, text, _MODE, None)
        except OSError as error:
            raise SecretsError(f"{self.path}: {error.strerror}") from error


def _contents(value: Mapping[str, Any]) -> Contents:
    if value["format"] != FORMAT:
        raise ValueError(value["format"])
    found = Contents()
    if (lock := value["lock"]) is not None:
        derivation = Derivation.of_json(lock)
        found.lock = Lock(derivation=derivation, kind=lock["kind"], check=lock["check"])
    for name, one in value["secrets"].items():
        found.entries[name] = Entry(
            version=int(one["version"]),
            changed_at=datetime.fromisoformat(one["changed_at"]),
            sealed=one.get("sealed"),
        )
    return found


def _as_json(contents: Contents) -> dict[str, object]:
    lock = contents.lock
    told = None
    if lock is not None:
        told = {**lock.derivation.as_json(), "kind": lock.kind, "check": lock.check}
    entries: dict[str, dict[str, object]] = {}
    for name, one in sorted(contents.entries.items()):
        entries[name] = {"version": one.version, "changed_at": one.changed_at.isoformat()}
        if one.sealed is not None:
            entries[name]["sealed"] = one.sealed
    return {"format": FORMAT, "lock": told, "secrets": entries}
