"""Keyrings: the system's own, by the library ``keyring``, and a file of ours that is sealed.

The system's may wait for a person, or for ever: it is asked by `Asking`. Only keyrings are
taken that keep things well: not what forgets, what writes in clear, or what asks on a terminal.
"""

from dataclasses import dataclass, replace

import keyring
import keyring.core
from keyring.backend import KeyringBackend

from claw.kernel import clock
from claw.secrets import sealing
from claw.secrets.asking import Asking
from claw.secrets.derivation import Derivation
from claw.secrets.keys import Keys, Kind
from claw.secrets.sealing import WrongKeyError
from claw.secrets.secretfile import Contents, Entry, Lock, SecretFile, SecretsError

_GOOD = ("SecretService", "libsecret", "kwallet", "macOS")
"""Modules of keyring.backends whose keyrings are kept by the desktop."""
_CHECK, _CHECKED = b"claw", b"check"


@dataclass(frozen=True, slots=True)
class _Opened:
    """What the lock with a check was opened with, since to derive a key takes long."""

    check: str
    material: bytes
    key: bytes


class SealedKeyring(KeyringBackend):
    """The keyring where no other answers: values in `SecretFile`, sealed by `Keys`.

    It has one service: that of its home.
    """

    priority = 1.0

    def __init__(self, file: SecretFile, keys: Keys) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._file = file
        self._keys = keys
        self._opened: _Opened | None = None

    def get_password(self, service: str, username: str) -> str | None:  # noqa: ARG002
        """Return a value; None: there is none of that name.

        Raises:
            SecretsError: No key opens it.
        """
        contents = self._file.load()
        entry = contents.entries.get(username)
        if entry is None or entry.sealed is None:
            return None
        return self._open(username, entry, self._key_of(contents)).decode()

    def set_password(self, service: str, username: str, password: str) -> None:  # noqa: ARG002
        """Keep a value under the next version; all is sealed anew when the key is another.

        Raises:
            SecretsError: There is no key, or the file cannot be written.
        """
        contents = self._file.load()
        if contents.lock is not None:
            self._key_of(contents)  # who has none is told so, and no other is made
        kind, material = self._keys.first()
        if contents.lock is None:
            self._lock(contents, kind, material)
        elif not self._opens(contents.lock, material):
            self._reseal(contents, kind, material, but=username)
        entry = _next(contents, username)
        key = self._key_of(contents)
        sealed = sealing.seal(key, password.encode(), entry.beside(username))
        contents.entries[username] = replace(entry, sealed=sealed)
        self._file.save(contents)

    def delete_password(self, service: str, username: str) -> None:  # noqa: ARG002
        """Forget a value.

        Raises:
            SecretsError: The file cannot be written.
        """
        contents = self._file.load()
        contents.entries.pop(username, None)
        self._file.save(contents)

    def _lock(self, contents: Contents, kind: Kind, material: bytes) -> None:
        derivation = Derivation.new()
        key = derivation.key_of(material)
        check = sealing.seal(key, _CHECK, _CHECKED)
        contents.lock = Lock(derivation=derivation, kind=kind, check=check)
        self._opened = _Opened(check, material, key)

    def _reseal(self, contents: Contents, kind: Kind, material: bytes, but: str) -> None:
        """Seal all values with another key, but for the one that gets another value."""
        old = self._key_of(contents)
        values = {
            name: self._open(name, one, old)
            for name, one in contents.entries.items()
            if one.sealed is not None and name != but
        }
        self._lock(contents, kind, material)
        new = self._key_of(contents)
        for name, value in values.items():
            one = contents.entries[name]
            sealed = sealing.seal(new, value, one.beside(name))
            contents.entries[name] = replace(one, sealed=sealed)

    def _key_of(self, contents: Contents) -> bytes:
        """Return the key that opens a file."""
        lock = contents.lock
        if lock is None:
            raise SecretsError(f"{self._file.path} is damaged: it says nothing of its key")
        if self._opened is not None and self._opened.check == lock.check:
            return self._opened.key
        for _kind, material in self._keys.all():
            if key := _key_for(lock, material):
                self._opened = _Opened(lock.check, material, key)
                return key
        raise SecretsError(f"no key opens {self._file.path}", hint=_HINTS.get(lock.kind, ""))

    def _opens(self, lock: Lock, material: bytes) -> bool:
        """Tell whether what people have makes the key of a lock."""
        known = self._opened
        if known is not None and (known.check, known.material) == (lock.check, material):
            return True
        return _key_for(lock, material) is not None

    def _open(self, name: str, entry: Entry, key: bytes) -> bytes:
        try:
            return sealing.unseal(key, entry.sealed or "", entry.beside(name))
        except WrongKeyError:
            raise SecretsError(
                f"secret {name} does not open: {self._file.path} was changed by others",
                hint=f"clawctl secret set {name}",
            ) from None


_HINTS: dict[str, str] = {
    Kind.CREDENTIAL: "its key was the systemd credential claw.key",
    Kind.KEY_FILE: "its key was a key file: [secrets] key_file, else state/secrets.key",
    Kind.PASSPHRASE: (
        "its key is a passphrase: start clawd on a terminal, or with CLAW_PASSPHRASE_FD"
    ),
}


def _key_for(lock: Lock, material: bytes) -> bytes | None:
    """Return the key that what people have makes for a lock; None: it is not the right one."""
    try:
        key = lock.derivation.key_of(material)
        sealing.unseal(key, lock.check, _CHECKED)
    except (WrongKeyError, ValueError):
        return None
    return key


def _next(contents: Contents, name: str) -> Entry:
    known = contents.entries.get(name)
    version = 1 if known is None else known.version + 1
    return Entry(version=version, changed_at=clock.now())


class SystemKeyring(KeyringBackend):
    """The desktop's keyring; the file knows which names it has."""

    priority = 2.0

    def __init__(self, file: SecretFile, backend: KeyringBackend, asking: Asking) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._file = file
        self._backend = backend
        self._asking = asking

    def get_password(self, service: str, username: str) -> str | None:
        """Return a value; None: there is none of that name.

        Raises:
            SecretsError: It does not answer.
        """
        return self._asking.ask(lambda: self._backend.get_password(service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a value under the next version.

        Where the keyring has one, the version comes first: a keyring that gives no answer may
        yet keep the value, and no two values may have the same.

        Raises:
            SecretsError: It does not answer, or has not kept it.
        """
        contents = self._file.load()
        known = contents.entries.get(username)
        contents.entries[username] = _next(contents, username)
        is_replaced = known is not None and known.sealed is None
        if is_replaced:
            self._file.save(contents)
        self._asking.ask(lambda: self._backend.set_password(service, username, password))
        if self.get_password(service, username) != password:
            raise SecretsError("the keyring has not kept it", hint='[secrets] backend = "file"')
        if not is_replaced:
            self._file.save(contents)

    def forget(self, service: str, username: str) -> None:
        """Have the desktop forget a value, which the file has another place for.

        Raises:
            SecretsError: It does not answer.
        """
        if self.get_password(service, username) is not None:
            self._asking.ask(lambda: self._backend.delete_password(service, username))

    def delete_password(self, service: str, username: str) -> None:
        """Forget a value.

        Raises:
            SecretsError: It does not answer, or the file cannot be written.
        """
        self.forget(service, username)
        contents = self._file.load()
        contents.entries.pop(username, None)
        self._file.save(contents)


def find_system(asking: Asking) -> KeyringBackend:
    """Return the desktop's keyring, or the one that PYTHON_KEYRING_BACKEND names.

    Raises:
        SecretsError: There is none, or it does not answer.
    """
    found = asking.ask(_find)
    if found is None:
        raise SecretsError("no keyring answers here", hint='[secrets] backend = "file"')
    return found


def _find() -> KeyringBackend | None:
    named = keyring.core.load_env()
    if named is not None:
        return named
    viable = [one for one in keyring.backend.get_all_keyring() if _is_good(one)]
    return max(viable, key=lambda one: one.priority, default=None)


def _is_good(backend: KeyringBackend) -> bool:
    package, _, module = type(backend).__module__.rpartition(".")
    return package == "keyring.backends" and module in _GOOD
