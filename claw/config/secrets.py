"""From the values of ``[secrets]`` to `claw.model.secrets.Settings`."""

from claw.config.check import BrokenError, Checker
from claw.config.fields import SECRETS
from claw.config.keys.secrets import SecretsKeys
from claw.model.secrets import Backend, Settings


def read(checker: Checker, raw: object) -> Settings:
    """Return what the table says; what is wrong with it is reported."""
    table = checker.table(raw, ("secrets",)) or {}
    values = checker.section(SECRETS, table, ("secrets",))
    try:
        found = Settings(
            backend=values[SecretsKeys.backend], key_file=values[SecretsKeys.key_file]
        )
    except BrokenError:
        return Settings()
    if found.key_file and found.backend is Backend.KEYRING:
        checker.wrong(("secrets", "key_file"), 'only with backend = "file": remove it')
    return found
