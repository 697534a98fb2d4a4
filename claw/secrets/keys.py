"""What the key of sealed secrets is made from: a credential, a file, or a passphrase."""

import os
from collections.abc import Iterator, Mapping
from enum import StrEnum

from claw.kernel import files
from claw.kernel.causes import reason
from claw.secrets import derivation
from claw.secrets.secretfile import SecretsError

CREDENTIAL = "claw.key"
"""What systemd's LoadCredential= and SetCredentialEncrypted= are to call it."""
_MOST_BYTES = 64 << 10
_BY_OTHERS = 0o077


class Kind(StrEnum):
    """What a key is made from."""

    CREDENTIAL = "credential"
    KEY_FILE = "key file"
    PASSPHRASE = "passphrase"  # noqa: S105  the word itself


Material = tuple[Kind, bytes]


class Keys:
    """Where the key is looked for, in this order, see `all`."""

    def __init__(
        self, environment: Mapping[str, str], own_path: str, passphrase: bytes = b""
    ) -> None:
        """Take where to look.

        Args:
            environment: The daemon's.
            own_path: The key file that claw makes where it is given nothing.
            passphrase: What was asked for when the daemon was started; empty: nothing.
        """
        self._environment = environment
        self._own_path = own_path
        self._passphrase = passphrase
        self.configured = ""  # path of a key file

    @property
    def is_given(self) -> bool:
        """Whether somebody has provided a key, and does not leave it to claw."""
        return bool(self._credential or self.configured or self._passphrase)

    @property
    def _credential(self) -> str:
        folder = self._environment.get("CREDENTIALS_DIRECTORY", "")
        path = f"{folder}/{CREDENTIAL}"
        return path if folder and files.exists(path) else ""

    def all(self) -> Iterator[Material]:
        """Yield what there is: the first is what secrets are to be sealed with.

        Raises:
            SecretsError: A file is there and is no good.
        """
        if self._credential:
            yield Kind.CREDENTIAL, _read(self._credential)
        if self.configured:
            yield Kind.KEY_FILE, _read_own(self.configured)
        if self._passphrase:
            yield Kind.PASSPHRASE, self._passphrase
        if files.exists(self._own_path):
            yield Kind.KEY_FILE, _read_own(self._own_path)

    def first(self) -> Material:
        """Return what secrets are to be sealed with; a key file is made if there is nothing.

        Raises:
            SecretsError: It cannot be read, or made.
        """
        for found in self.all():
            return found
        try:
            files.create_exclusive(self._own_path, derivation.new_key_file())
        except OSError as error:
            raise SecretsError(f"{self._own_path}: {reason(error)}") from error
        return Kind.KEY_FILE, _read_own(self._own_path)


def _read_own(path: str) -> bytes:
    """Read a key file, which nobody else may read.

    Raises:
        SecretsError: It cannot be read, or others may.
    """
    try:
        data, facts = files.read_regular(path, _MOST_BYTES)
    except OSError as error:
        raise SecretsError(
            f"key file {path}: {reason(error)}", hint="[secrets] key_file names it"
        ) from error
    if facts.st_uid not in {0, os.geteuid()}:
        raise SecretsError(f"key file {path} is another user's", hint=f"chown it: {path}")
    if facts.st_mode & _BY_OTHERS:
        raise SecretsError(f"key file {path}: others may read it", hint=f"chmod 600 {path}")
    return _checked(path, data)


def _read(path: str) -> bytes:
    try:
        return _checked(path, files.read_regular(path, _MOST_BYTES)[0])
    except OSError as error:
        raise SecretsError(f"credential {path}: {reason(error)}") from error


def _checked(path: str, data: bytes) -> bytes:
    if not data.strip():
        raise SecretsError(f"{path} is empty: a key is expected")
    if len(data) > _MOST_BYTES:
        raise SecretsError(f"{path}: longer than {_MOST_BYTES >> 10} KiB: that is no key")
    return data
