"""What may leave the host in a report: values that could be secrets are not shown."""

import re
from typing import TypeGuard
from urllib.parse import urlsplit

MASK = "****"
_HARMLESS_NAMES = frozenset({"HOME", "LANG", "LOGNAME", "MODE", "PATH", "SHELL", "TZ", "USER"})
_WORDS = "true|false|yes|no|on|off|debug|info|warning|error"
_HARMLESS = re.compile(rf"-?\d{{1,6}}|{_WORDS}", re.IGNORECASE)
_TELLING = "TOKEN|KEY|SECRET|PASS|PWD|CRED|AUTH|PIN|COOKIE|SESSION|SALT"
_SECRET = re.compile(_TELLING, re.IGNORECASE)
_USER_INFO = re.compile(r"://[^/\s@]*@")
"""Found in one pass, however long the text is: what stands before it is not looked at."""
_URL_KEYS = frozenset({"ping", "url"})
_SECRET_TABLES = frozenset({"headers", "urls"})
"""Of channels: what stands in a URL for apprise is all secret, its host too."""
_UNSEEN_TABLES = _SECRET_TABLES | {"env"}


def mask_env(name: str, value: object) -> object:
    """Return a variable's value, when both say plainly that it is harmless."""
    if _SECRET.search(name):
        return MASK
    is_known = name in _HARMLESS_NAMES or name.startswith("LC_")
    return value if is_known or _HARMLESS.fullmatch(str(value)) else MASK


def mask_url(url: str) -> str:
    """Return scheme and host of a URL; what stands behind them opens doors."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}/{MASK}"


def mask_users(text: str) -> str:
    """Return a text without the names and passwords in the URLs that it holds."""
    return _USER_INFO.sub(f"://{MASK}@", text)


def mask(value: object, name: str = "") -> object:
    """Return a JSON value with all environments and URLs in it masked.

    Args:
        value: The value.
        name: Its key in the object that holds it.
    """
    if name in _SECRET_TABLES:
        return MASK
    if isinstance(value, dict):
        if name == "env":
            return {key: mask_env(str(key), one) for key, one in value.items()}
        return {key: mask(one, str(key)) for key, one in value.items()}
    if isinstance(value, list):
        return [mask(one) for one in value]
    if name in _URL_KEYS and isinstance(value, str):
        return mask_url(value)
    return value


def unseen(value: object, path: tuple[str, ...] = ()) -> object:
    """Return a JSON value as a viewer may see it: of variables the names, of URLs the host.

    Args:
        value: The value, of a job's table.
        path: The keys that lead to it.
    """
    if isinstance(value, dict):
        return {key: unseen(one, (*path, str(key))) for key, one in value.items()}
    if isinstance(value, list):
        return [unseen(one, path) for one in value]
    if _UNSEEN_TABLES.intersection(path):
        return MASK
    return mask_url(value) if path[-1:] and path[-1] in _URL_KEYS and _is_url(value) else value


def _is_url(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value)
