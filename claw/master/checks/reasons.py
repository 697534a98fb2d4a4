"""Why a connection failed, in the system's words."""

import os


def reason(error: BaseException) -> str:
    """Return the innermost cause: libraries wrap it, and say less than it does."""
    while True:
        parts = getattr(error, "exceptions", ())
        inner = parts[0] if parts else error.__cause__ or error.__context__
        if inner is None or error is inner:
            break
        error = inner
    number = getattr(error, "errno", None)
    if isinstance(number, int) and number > 0:
        return os.strerror(number)
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
