"""Where claw's own secrets are: which keyring has which, and what is said of each. Blocks."""

import contextlib
import importlib
import threading
from collections.abc import Callable, Mapping
from typing import Any

from claw.errors import NotFoundError
from claw.model.home import Home
from claw.model.secrets import Backend, Settings
from claw.secrets.asking import Asking
from claw.secrets.keys import Keys
from claw.secrets.resolving import UnresolvedError
from claw.secrets.secretfile import Entry, SecretFile, SecretsError

_DESKTOP = ("DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND")
"""Without any of these nobody's session is here, and no keyring is looked for."""


class Vault:
    """See the module. Safe to use from several threads.

    A value is looked for where it was put, whatever the configuration says now; that decides
    where new ones go.
    """

    def __init__(
        self,
        file: SecretFile,
        keys: Keys,
        service: str,
        settings: Callable[[], Settings],
        environment: Mapping[str, str],
    ) -> None:
        """Take where things are; nothing is looked at yet.

        Args:
            file: Says which secrets there are.
            keys: Open the values that are sealed in it.
            service: What this home is called in a keyring.
            settings: The ``[secrets]`` table in force.
            environment: The daemon's.
        """
        self._file = file
        self._keys = keys
        self._service = service
        self._settings = settings
        self._environment = environment
        self._lock = threading.Lock()
        self._sealed: Any = None
        self._system: Any = None
        self._asking = Asking()

    def entries(self) -> dict[str, Entry]:
        """Return what is known of each secret, by name.

        Raises:
            SecretsError: It cannot be read.
        """
        return dict(sorted(self._file.load().entries.items()))

    def value(self, name: str) -> str:
        """Return a secret.

        Raises:
            UnresolvedError: There is none of that name, or whoever has it does not answer.
        """
        try:
            with self._lock:
                entry = self._file.load().entries.get(name)
                found = None if entry is None else self._ask(entry, name)
        except SecretsError as error:
            hint = f" ({error.hint})" if error.hint else ""
            who = "" if error.message.startswith(f"secret {name} ") else f"secret {name}: "
            raise UnresolvedError(
                f"{who}{error.message}{hint}", is_passing=error.is_passing
            ) from error
        if found is None:
            raise UnresolvedError(f"there is no secret {name}: clawctl secret set {name}")
        return found

    def _ask(self, entry: Entry, name: str) -> str | None:
        at = self._system_keyring() if entry.sealed is None else self._sealed_keyring()
        found: str | None = at.get_password(self._service, name)
        return found

    def set(self, name: str, value: str) -> Entry:
        """Keep a value, and return what is known of it then.

        Raises:
            SecretsError: It is not known to be kept. A keyring that gave no answer may have
                it yet; otherwise the old one is as it was.
        """
        with self._lock:
            old = self._file.load().entries.get(name)
            is_sealing = self._is_sealing()
            at = self._sealed_keyring() if is_sealing else self._system_keyring()
            at.set_password(self._service, name, value)
            if is_sealing and old is not None and old.sealed is None:
                with contextlib.suppress(SecretsError):  # it is there and of no use any more
                    self._system_keyring().forget(self._service, name)
            return self._file.load().entries[name]

    def delete(self, name: str) -> None:
        """Forget a secret.

        Raises:
            NotFoundError: There is none of that name.
            SecretsError: It cannot be forgotten.
        """
        with self._lock:
            entry = self._file.load().entries.get(name)
            if entry is None:
                raise NotFoundError(f"there is no secret {name}", hint="clawctl secret list")
            at = self._system_keyring() if entry.sealed is None else self._sealed_keyring()
            at.delete_password(self._service, name)

    def _is_sealing(self) -> bool:
        """Tell whether new values go into the file."""
        backend = self._settings().backend
        if backend is not Backend.AUTO:
            return backend is Backend.FILE
        known = self._file.load().entries.values()
        if known:
            return any(one.sealed is not None for one in known)
        self._configure()
        if self._keys.is_given or not any(one in self._environment for one in _DESKTOP):
            return True
        try:
            self._system_keyring()
        except SecretsError:
            return True
        return False

    def _configure(self) -> None:
        self._keys.configured = self._settings().key_file

    def _sealed_keyring(self) -> Any:
        self._configure()
        if self._sealed is None:
            self._sealed = _keyrings().SealedKeyring(self._file, self._keys)
        return self._sealed

    def _system_keyring(self) -> Any:
        if self._system is None:
            module = _keyrings()
            found = module.find_system(self._asking)
            self._system = module.SystemKeyring(self._file, found, self._asking)
        return self._system


def _keyrings() -> Any:
    """Load the keyrings: only a master that has secrets pays for it."""
    return importlib.import_module("claw.secrets.keyring")


def vault_of(
    home: Home,
    settings: Callable[[], Settings],
    environment: Mapping[str, str],
    passphrase: bytes = b"",
) -> Vault:
    """Return the vault of a home.

    Args:
        home: Whose.
        settings: The ``[secrets]`` table in force.
        environment: The daemon's.
        passphrase: What was asked for when it was started; empty: nothing.
    """
    keys = Keys(environment, home.secrets_key, passphrase)
    file = SecretFile(home.secrets)
    return Vault(file, keys, home.keyring_service, settings, environment)
