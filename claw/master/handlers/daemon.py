"""``daemon.*``: the master itself."""

import os

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
    running, queued, supervisors = await services.store.read(_count)
    uptime = clock.now() - services.started_at
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


def _count(tx: Tx) -> tuple[int, int, int]:
    running = sum(tx.active_counts().values())
    return running, tx.count_open() - running, len(tx.open_supervisors())


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
