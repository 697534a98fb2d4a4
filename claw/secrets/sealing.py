"""Sealing values with a key: AES-256-GCM.

What stands beside a sealed value in the open (its name, version and time) is authenticated with
it: a value that is put under another name, or with another version, does not open.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from claw.secrets.derivation import from_text, to_text

_NONCE_BYTES = 12


class WrongKeyError(Exception):
    """A sealed value does not open: the key is another one, or it was changed."""


def seal(key: bytes, value: bytes, beside: bytes) -> str:
    """Return a value sealed, as text.

    Args:
        key: Of 32 bytes.
        value: What is sealed.
        beside: What is authenticated with it.
    """
    nonce = os.urandom(_NONCE_BYTES)
    return to_text(nonce + AESGCM(key).encrypt(nonce, value, beside))


def unseal(key: bytes, sealed: str, beside: bytes) -> bytes:
    """Return what was sealed.

    Raises:
        WrongKeyError: Not by this key, or not beside that.
    """
    try:
        data = from_text(sealed)
        return AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], beside)
    except (InvalidTag, ValueError) as error:
        raise WrongKeyError from error
