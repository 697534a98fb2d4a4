"""Why something failed, in the system's words: the innermost of the errors that wrap it."""

import os
from collections.abc import Iterator


def reason(error: BaseException) -> str:
    """Return the innermost cause: libraries wrap it, and say less than it does."""
    error = next(innermost(error))
    number = getattr(error, "errno", None)
    if isinstance(number, int) and number > 0:
        return os.strerror(number)
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


def innermost(error: BaseException) -> Iterator[BaseException]:
    """Yield the innermost causes of an error; there are more when more was tried."""
    inner = tuple(getattr(error, "exceptions", ()))
    cause = error.__cause__ or error.__context__
    if not inner and cause is not None and cause is not error:
        inner = (cause,)
    for one in inner:
        yield from innermost(one)
    if not inner:
        yield error
