"""From what people have, a passphrase or a key file's content, to a key: scrypt, RFC 7914."""

import base64
import hashlib
import os
from dataclasses import dataclass

_KEY_BYTES, _SALT_BYTES = 32, 16
_N, _R, _P = 1 << 15, 8, 3
"""32 MiB and three passes, as OWASP's cheat sheet on storing passwords has it."""
_MOST_N, _MOST_R, _MOST_P = 1 << 20, 8, 8
"""No file may ask for more: who derives a key has to have the memory, 1 GiB at this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """How a key is made from what people have: RFC 7914's parameters."""

    salt: bytes
    n: int = _N
    r: int = _R
    p: int = _P

    @classmethod
    def new(cls) -> "Derivation":
        """Return one with a salt of its own."""
        return cls(salt=os.urandom(_SALT_BYTES))

    def key_of(self, material: bytes) -> bytes:
        """Return the key that a passphrase, or a key file's content, makes; takes 0.1 s.

        Raises:
            ValueError: The parameters are none that claw has written.
        """
        is_known = 1 < self.n <= _MOST_N and 0 < self.r <= _MOST_R and 0 < self.p <= _MOST_P
        if not is_known or self.n & (self.n - 1):
            raise ValueError("the parameters of scrypt are none of claw's")
        return hashlib.scrypt(
            material,
            salt=self.salt,
            n=self.n,
            r=self.r,
            p=self.p,
            maxmem=132 * self.n * self.r + (1 << 20),
            dklen=_KEY_BYTES,
        )

    def as_json(self) -> dict[str, object]:
        """Return it for a file."""
        return {"salt": to_text(self.salt), "n": self.n, "r": self.r, "p": self.p}

    @classmethod
    def of_json(cls, value: dict[str, object]) -> "Derivation":
        """Return what `as_json` wrote.

        Raises:
            KeyError: It has not.
            ValueError: It has not.
        """
        return cls(
            salt=from_text(value["salt"]),
            n=int(str(value["n"])),
            r=int(str(value["r"])),
            p=int(str(value["p"])),
        )


def new_key_file() -> bytes:
    """Return what a key file is to hold: a line that nobody can guess."""
    return base64.b64encode(os.urandom(_KEY_BYTES)) + b"\n"


def to_text(data: bytes) -> str:
    """Return bytes as a file of text holds them."""
    return base64.b64encode(data).decode()


def from_text(text: object) -> bytes:
    """Return what `to_text` wrote.

    Raises:
        ValueError: It has not.
    """
    return base64.b64decode(str(text), validate=True)
