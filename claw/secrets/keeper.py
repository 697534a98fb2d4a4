"""Who keeps claw's own secrets."""

from typing import NoReturn

from claw.secrets.resolving import UnresolvedError


def of_none(name: str) -> NoReturn:
    """Know no secret at all.

    Raises:
        UnresolvedError: Always.
    """
    raise UnresolvedError(f"${{secret:{name}}}: nobody keeps secrets here")
