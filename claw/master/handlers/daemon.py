"""``daemon.*``: the master itself."""

import os
from datetime import datetime

import claw
from claw.kernel import clock
from claw.master.control.calls import Call, Params
from claw.master.handlers.replies import warnings_of
from claw.master.metrics import report
from claw.master.wiring import Json
from claw.store.records import Tx


async def status(call: Call, _params: Params) -> Json:
    """Tell how the master is doing."""
    services = call.services
    now = clock.now()
    running, queued, supervisors = await services.store.read(lambda tx: _count(tx, now))
    uptime = now - services.started_at
    files_changed = await services.has_changed_files()
    warnings = await warnings_of(services, files_changed=files_changed)
    return {
        "pid": os.getpid(),
        "version": claw.__version__,
        "home": services.home.state,
        "started_at": services.started_at.isoformat(),
        "uptime": max(uptime.total_seconds(), 0.0),
        "jobs": len(services.config.current.jobs),
        "running": running,
        "queued": queued,
        "config_changed": files_changed,
        "fork_server_pid": services.fork_server_pid(),
        "supervisors": supervisors,
        "warnings": warnings,
    }


def _count(tx: Tx, now: datetime) -> tuple[int, int, int]:
    """Count runs that are under way, those that wait, and supervisors; none that is armed."""
    running, active = (
        sum(counts.values()) for counts in (tx.begun_counts(now), tx.active_counts())
    )
    return running, tx.count_open() - active, len(tx.open_supervisors())


async def metrics(call: Call, _params: Params) -> Json:
    """Tell all figures."""
    return {"text": await report.text(call.services)}


async def stop(call: Call, params: Params) -> Json:
    """End the master; this is answered before it goes."""
    call.services.request_shutdown(params.get("mode", "auto"))
    return {}


async def restart(call: Call, _params: Params) -> Json:
    """Have the new program take over; this is answered before it does.

    Raises:
        ClawError: It would not; nothing has changed.
    """
    services = call.services
    copy = await services.prepare_renewal()
    services.request_shutdown("renew")
    return {
        "pid": os.getpid(),
        "version": claw.__version__,
        "started_at": services.started_at.isoformat(),
        "backup": copy,
    }
