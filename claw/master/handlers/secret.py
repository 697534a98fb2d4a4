"""``secret.*``: claw's own secrets. Values are in what is asked, and in one answer."""

from functools import partial

from claw.errors import ConflictError, NotFoundError, UsageError
from claw.master.confidant import KEEPING_S
from claw.master.control.calls import Call, Params
from claw.master.engine import intents, waking
from claw.master.engine.turn import Turn
from claw.master.supervision.refreshing import Bearer
from claw.master.wiring import Json
from claw.model import ids, reference, uses
from claw.model.reference import Reference, Source
from claw.secrets.resolving import MOST_BYTES
from claw.secrets.secretfile import Entry

CHANGED, DELETED = "secret.changed", "secret.deleted"


async def set_(call: Call, params: Params) -> Json:
    """Keep a value, and have services that refer to it get it."""
    name, value = params["name"], params["value"]
    _check_name(name)
    if "\0" in value or len(value.encode()) > MOST_BYTES:
        raise UsageError(f"a value has no NUL byte, and {MOST_BYTES >> 10} KiB at most")
    confidant, holdings = call.services.confidant, call.services.holdings
    confidant.redactor.add([value], of=str(Reference(Source.SECRET, name)))
    entry = await confidant.ask(partial(confidant.vault.set, name, value), KEEPING_S)
    reached, unreached = await holdings.reach(name)
    held = _older((await holdings.holders()).get(name, []), entry)
    restarted = [*reached, *unreached] if params.get("restart") else []
    users = uses.of_secrets(call.services.config.current).get(name, [])

    def decide(turn: Turn) -> Json:
        turn.note(CHANGED, why=f"{name}: version {entry.version}", by=call.by)
        for job in restarted:
            intents.restart_job(turn, job, by=call.by, key=f"{call.key}:{job}")
        asleep = [one for one in users if one not in restarted]
        return {
            "name": name,
            "version": entry.version,
            "changed_at": entry.changed_at.isoformat(),
            "reached": [one for one in reached if one not in restarted],
            "restarted": restarted,
            "started": waking.wake(turn, asleep, by=call.by, key=call.key),
            "held": list(map(_wire_of, held)),
            "warnings": [
                *(text for job, text in unreached.items() if job not in restarted),
                *_of_held(held, restarted),
            ],
        }

    return await call.commit(decide)


def _of_held(held: list[Bearer], restarted: list[str]) -> list[str]:
    """Return what is to be said of processes that go on with an older value."""
    left = [one for one in held if one.job not in restarted]
    if not left:
        return []
    names = ", ".join(dict.fromkeys(f"{one.job} (run {ids.short(one.run)})" for one in left))
    advice = "; to renew services: --restart" if any(one.is_service for one in left) else ""
    return [f"still running with the older value: {names}{advice}"]


async def get(call: Call, params: Params) -> Json:
    """Tell a value."""
    name, confidant = params["name"], call.services.confidant
    _check_name(name)
    if name not in await confidant.ask(confidant.vault.entries):
        raise NotFoundError(f"there is no secret {name}", hint=f"clawctl secret set {name}")
    value = await confidant.ask(partial(confidant.vault.value, name))
    confidant.redactor.add([value], of=str(Reference(Source.SECRET, name)))
    return {"name": name, "value": value}


async def list_(call: Call, _params: Params) -> Json:
    """List what is known of secrets, and who refers to them."""
    confidant = call.services.confidant
    entries = await confidant.ask(confidant.vault.entries)
    holders = await call.services.holdings.holders()
    users = uses.of_secrets(call.services.config.current)
    return {
        "secrets": [
            _listed(name, entries.get(name), users.get(name, []), holders.get(name, []))
            for name in sorted({*entries, *users})
        ]
    }


def _listed(name: str, entry: Entry | None, users: list[str], holders: list[Bearer]) -> Json:
    known: Json = {"version": None, "changed_at": None, "kept": None}
    if entry is not None:
        known = {
            "version": entry.version,
            "changed_at": entry.changed_at.isoformat(),
            "kept": "keyring" if entry.sealed is None else "file",
        }
    held = [] if entry is None else _older(holders, entry)
    return {"name": name, **known, "used_by": users, "held": list(map(_wire_of, held))}


def _older(holders: list[Bearer], entry: Entry) -> list[Bearer]:
    return [one for one in holders if one.version != entry.version]


def _wire_of(one: Bearer) -> Json:
    return {"run": one.run, "job": one.job, "version": one.version}


async def delete(call: Call, params: Params) -> Json:
    """Forget a secret."""
    name, confidant = params["name"], call.services.confidant
    users = uses.of_secrets(call.services.config.current).get(name)
    if users and not params.get("force"):
        raise ConflictError(
            f"secret {name} is used by {', '.join(users)}",
            hint="clawctl secret delete --force: what uses it will not start any more",
        )
    await confidant.ask(partial(confidant.vault.delete, name), KEEPING_S)

    def decide(turn: Turn) -> Json:
        turn.note(DELETED, why=name, by=call.by)
        return {"name": name}

    return await call.commit(decide)


def _check_name(name: str) -> None:
    problem = reference.name_problem(name)
    if problem:
        raise UsageError(f"{name!r} is no name for a secret: {problem}")
