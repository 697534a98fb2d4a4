"""How claw's own secrets are kept."""

from dataclasses import dataclass
from enum import StrEnum


class Backend(StrEnum):
    """Where new values go."""

    AUTO = "auto"
    KEYRING = "keyring"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The ``[secrets]`` table."""

    backend: Backend = Backend.AUTO
    key_file: str = ""
