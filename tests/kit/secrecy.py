"""What looks up references in tests."""

from collections.abc import Mapping

from claw.master.confidant import Confidant
from claw.secrets import keeper
from claw.secrets.resolving import Resolver


def confidant(environment: Mapping[str, str] | None = None) -> Confidant:
    """Return one who knows an environment, and no secrets."""
    return Confidant(Resolver(environment or {}, keeper.of_none))
