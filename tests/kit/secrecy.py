"""What looks up references in tests."""

from collections.abc import Mapping

from claw.master.confidant import Confidant, confidant_of
from claw.model.home import at_folder
from claw.model.job import Config


def confidant(environment: Mapping[str, str] | None = None) -> Confidant:
    """Return one who knows an environment, and no secrets."""
    return confidant_of(at_folder("/nonexistent"), Config, environment=environment or {})
