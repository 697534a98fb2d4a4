"""``doctor.check``: the daemon looks for what is wrong with it, its home and its machine."""

import os
from collections.abc import Sequence
from functools import partial

import claw
from claw.kernel import clock
from claw.master.control.calls import Call, Params
from claw.master.doctor import registry
from claw.master.doctor.case import Case, Known
from claw.master.output import logs
from claw.master.output.sharing import Shared
from claw.master.supervision import spools
from claw.master.views.statusview import UNRESPONSIVE
from claw.master.wiring import Json, Services
from claw.model import uses
from claw.secrets.resolving import UnresolvedError
from claw.secrets.secretfile import SecretsError
from claw.store.records import Tx

_shared = Shared[Json]()
"""Every page of the database is read, and each secret asked for."""


async def check(call: Call, _params: Params) -> Json:
    """Look, and tell all that was found."""
    return await _shared.get(partial(_look, call.services))


async def _look(services: Services) -> Json:
    case = Case(
        home=services.home,
        configuration=services.config,
        now=clock.now(),
        known=await _known(services),
    )
    # It only looks, and may take long: nobody who wants to stop the daemon waits for it.
    found = await logs.in_thread(partial(registry.look, case), abandon_on_cancel=True)
    return registry.shown(found)


async def _known(services: Services) -> Known:
    is_changed = await services.has_changed_files()
    strange = await _strange(services)
    secrets = await _secrets(services)

    def read(tx: Tx) -> Known:
        working = tx.open_supervisors()
        flags = services.supervisors.flags
        return Known(
            pid=os.getpid(),
            started_at=services.started_at,
            version=claw.__version__,
            is_changed=is_changed,
            trouble=services.store.trouble,
            fork_server_pid=services.fork_server_pid(),
            supervisors=[(one.sid, one.job, one.version or "") for one in working],
            silent=[one.job for one in working if UNRESPONSIVE in flags(one.sid)],
            strange=strange,
            open_runs=frozenset(run.id for run in tx.open_runs()),
            secrets=secrets,
            alerts=tx.all_standing_alerts(),
            log_total=services.config.current.daemon.log_total,
            backups=services.backups.standing,
            metrics_trouble=services.metrics_trouble(),
        )

    return await services.store.read(read)


async def _strange(services: Services) -> list[str]:
    """Return who has a journal and is not in the store; they were in there before they had."""
    sids = await logs.in_thread(partial(spools.list_spools, services.home))
    found: list[str] = []
    for begin in range(0, len(sids), _AT_ONCE):
        some = sids[begin : begin + _AT_ONCE]
        found += await services.store.read(partial(_unknown, sids=some))
    return found


async def _secrets(services: Services) -> list[tuple[str, str, str | None]]:
    """Try all secrets that are referred to; what they are is not looked at."""
    confidant, found = services.confidant, list[tuple[str, str, str | None]]()
    for name, users in uses.of_secrets(services.config.current).items():
        problem = None
        try:
            await confidant.ask(partial(confidant.vault.value, name))
        except (SecretsError, UnresolvedError) as error:
            problem = error.message
            if error.is_passing:  # who keeps them does not answer: each question takes long
                return [*found, (name, users[0], problem)]
        found.append((name, users[0], problem))
    return found


def _unknown(tx: Tx, sids: Sequence[str]) -> list[str]:
    return [sid for sid in sids if tx.supervisor(sid) is None]


_AT_ONCE = 1000
