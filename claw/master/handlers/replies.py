"""What several handlers say, and how they read what they are told."""

from datetime import UTC, datetime

from claw.errors import NotFoundError, UsageError
from claw.kernel import clock
from claw.master.engine import pools
from claw.master.views.statusview import Live
from claw.master.wiring import Services
from claw.model import ids
from claw.store.records import Tx

FILES_CHANGED = "the configuration on disk differs from what is loaded: clawctl reload"


def live_view(services: Services) -> Live:
    """Return what is known of jobs beside the database's rows."""
    return Live(
        now=clock.now(),
        next_at=services.next_at,
        flags=services.supervisors.flags,
        sockets=services.sockets,
        found=services.found,
        watched=services.watched,
    )


async def warnings_of(services: Services, *, files_changed: bool) -> list[str]:
    """Return what is worth saying beside any answer about how things are."""
    alerts = await services.store.read(Tx.open_alerts)
    said_of_queue = await services.store.read(Tx.pauses)
    said = [pools.words(what, by) for what, by in said_of_queue.items()]
    said += [alert.text for alert in alerts]
    if services.store.trouble is not None:
        said.append(f"Nothing new can begin or be recorded: {services.store.trouble}")
    if files_changed:
        said.append(FILES_CHANGED)
    return said


def parse_time(text: str, name: str) -> datetime:
    """Return the instant that an ISO 8601 text with an offset means.

    Raises:
        UsageError: It is none, or has no offset.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.utcoffset() is None:
        raise UsageError(
            f"{name!r} has to be an ISO 8601 time with its offset, not {text[:60]!r}",
            hint="as 2026-11-21T09:30:00+01:00",
        )
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise UsageError(
            f"{name!r} is beyond the times that there are: {text[:60]!r}"
        ) from None


def no_run(text: str) -> NotFoundError:
    """Return what is said of a run that is not there."""
    hint = "clawctl runs list lists them"
    if not ids.is_run_id(text) and len(text) < ids.SHORT_LENGTH:
        hint = f"give {ids.SHORT_LENGTH} letters of its id or more"
    return NotFoundError(f"no run {text!r}", hint=hint)
