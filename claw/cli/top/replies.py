"""What the master has answered to a command, on one line."""

from __future__ import annotations

from collections import Counter

from claw.cli.top.news import Done
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.top.news import Ask, Json
    from claw.errors import ClawError


def of_answer(ask: Ask, reply: Json) -> Done:
    """Return what is said of an answer."""
    return _TOLD[ask.reply](ask, reply)


def of_error(ask: Ask, error: ClawError) -> Done:
    """Return what is said of a refusal, in the master's own words."""
    hint = f": {error.hint}" if error.hint else ""
    return Done(f"{ask.says}: {error.message}{hint}", is_error=True)


def _acted(ask: Ask, reply: Json) -> Done:
    refused = [one for one in reply["results"] if one.get("error")]
    if refused:
        more = f" (and {len(refused) - 1} more)" if refused[1:] else ""
        return Done(f"{ask.says}: {refused[0]['error']}{more}", is_error=True)
    warnings = "".join(f"; {one}" for one in reply.get("warnings", ()))
    return Done(f"{ask.says}: {_states(reply['results'])}{warnings}")


def _states(results: list[Json]) -> str:
    if len(results) == 1:
        return f"{results[0].get('name') or results[0]['job']} is {results[0]['state']}"
    counts = Counter(one["state"] for one in results)
    return ", ".join(f"{count} {state}" for state, count in counts.most_common())


def _submitted(ask: Ask, reply: Json) -> Done:
    return Done(f"{ask.says}: run {ids.short(reply['run'])}")


def _canceled(ask: Ask, reply: Json) -> Done:
    count = len(reply["canceled"])
    return Done(f"{ask.says}: {count} canceled" if count else f"{ask.says}: it was over")


def _retried(ask: Ask, reply: Json) -> Done:
    return Done(f"{ask.says}: {', '.join(map(ids.short, reply['runs']))}")


def _reinjected(ask: Ask, reply: Json) -> Done:
    found = ", ".join(ids.short(one["run"]) for one in reply["reinjected"])
    return Done(f"{ask.says}: {found}")


def _purged(ask: Ask, reply: Json) -> Done:
    return Done(f"{ask.says}: {len(reply['purged'])} purged")


def _tagged(ask: Ask, reply: Json) -> Done:
    return Done(f"{ask.says}: {', '.join(reply['jobs'])} in {reply['file'].rpartition('/')[2]}")


def _plan(ask: Ask, reply: Json) -> Done:
    words = {"add": "added", "live": "changed", "restart": "restarted", "remove": "removed"}
    found = [f"{len(reply[key])} {word}" for key, word in words.items() if reply[key]]
    return Done(f"{ask.says}: {', '.join(found) or 'nothing has changed'}")


_TOLD = {
    "acted": _acted, "submitted": _submitted, "canceled": _canceled, "retried": _retried,
    "reinjected": _reinjected, "purged": _purged, "tagged": _tagged, "plan": _plan,
}  # fmt: skip
