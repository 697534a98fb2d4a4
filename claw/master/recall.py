"""What a new master does first: the database is brought in line with journals and files."""

import logging
import os
from collections.abc import Awaitable, Callable, Iterable

import claw
from claw.kernel.host import host_id
from claw.master.decider import Decider
from claw.master.engine import definitions, services
from claw.master.engine.histories import Spool
from claw.master.engine.rebuild import rebuild
from claw.master.engine.sync import sync
from claw.master.init.inherited import boot_id
from claw.master.supervision.spools import list_spools, read_spools
from claw.model.home import Home
from claw.store.damage import Opened

_LOG = logging.getLogger("claw")
Look = Callable[[Iterable[Spool]], Awaitable[list[Spool]]]


async def recall(home: Home, decide: Decider, opened: Opened, look: Look) -> None:
    """Rebuild after damage, note that a master has begun, take in the configuration.

    Args:
        home: The home.
        decide: Makes the decisions.
        opened: The database.
        look: Sees what the files say of the runs of journals.

    Raises:
        StoreError: It could not be stored.
    """
    if opened.damage is not None or opened.is_new:
        spools = await look(read_spools(home, list_spools(home)))
        damage = opened.damage
        if damage is not None or spools:
            why = (
                f"{damage.why}; it is kept as {damage.set_aside}"
                if damage is not None
                else "there was no database beside the journals"
            )
            _LOG.error("the database is rebuilt from the journals: %s", why)
            await decide(lambda turn: rebuild(turn, spools, why=why))
    about = f"claw {claw.__version__}, pid {os.getpid()}"
    await decide(lambda turn: services.begin(turn, boot_id(), about, host_id()))
    await decide(lambda turn: definitions.load(turn.tx, turn.config))
    await decide(lambda turn: sync(turn, start=False, by="start"))
