"""Removes the jobs from managed.toml whose time is over: see `claw.master.engine.lifetimes`."""

import logging
from collections.abc import Awaitable, Callable

from claw.config.managed import Managed
from claw.errors import ClawError
from claw.model.effect import Retire

_LOG = logging.getLogger("claw")


async def remove(reload: Callable[..., Awaitable[object]], retired: Retire) -> None:
    """Take a job out of managed.toml; what fails is tried again when it is asked for again.

    Args:
        reload: Edits that file and takes in the configuration.
        retired: The job, and why.
    """

    def edit(managed: Managed) -> None:
        managed.remove(retired.job, override=False)

    try:
        await reload(edit=edit, by=retired.why)
    except ClawError as error:
        _LOG.warning("job %s is over and cannot be removed: %s", retired.job, error)
    else:
        _LOG.info("job %s is over and has been removed: %s", retired.job, retired.why)
