"""Locks in etcd, by the JSON form of its API (v3, the gRPC gateway), over HTTP.

A lock is a key that is bound to a lease of etcd's: it goes with the lease. The fencing number
is the revision of the store at which the key was written, which only ever grows.
"""

import base64
import json
import logging
import math
import ssl
from typing import Any

import httpx

from claw.master.locks.backend import Holder, LockTroubleError
from claw.model.lock import Claimant, Grant, Locks

Json = dict[str, Any]

_TIMEOUT_S = 3.0
_NOT_FOUND = 5  # grpc.StatusCode.NOT_FOUND


class Etcd:
    """The `Backend` in etcd."""

    def __init__(self, settings: Locks) -> None:
        """Take where it is; nothing is asked yet.

        Raises:
            LockTroubleError: A certificate cannot be read.
        """
        for name in ("httpx", "httpcore"):  # a line for each request, and more
            logging.getLogger(name).setLevel(logging.WARNING)
        self._endpoints = [one.rstrip("/") for one in settings.endpoints]
        self._prefix = settings.prefix
        self._client = httpx.AsyncClient(
            timeout=_TIMEOUT_S,
            trust_env=False,
            verify=_context(settings),
            headers={"Connection": "close"},
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def acquire(self, name: str, claimant: Claimant) -> Grant | Holder:
        """See `Backend`."""
        kept = await self._kept(name)
        if kept is not None and kept[0].owner != claimant.owner:
            return kept[0]
        revision = 0 if kept is None else kept[1]  # our own: a grant that we never heard of
        lease = (await self._ask("lease/grant", {"TTL": math.ceil(claimant.lease_s)}))["ID"]
        value = {"owner": claimant.owner, "host": claimant.host, "run": claimant.run}
        answer = await self._ask(
            "kv/txn",
            {
                "compare": [self._is_at(name, revision)],
                "success": [
                    {
                        "request_put": {
                            "key": self._key(name),
                            "value": _encoded(json.dumps(value)),
                            "lease": lease,
                        }
                    }
                ],
            },
        )
        if answer.get("succeeded"):
            return Grant(int(answer["header"]["revision"]), str(lease))
        await self._revoke(lease)
        kept = await self._kept(name)
        if kept is None:
            raise LockTroubleError("it changes hands just now")
        return kept[0]

    async def renew(self, name: str, claimant: Claimant, grant: Grant) -> bool:
        """See `Backend`."""
        del claimant  # a new value would be a new revision
        answer = await self._ask("lease/keepalive", {"ID": grant.handle})
        if int(answer.get("result", {}).get("TTL", 0)) <= 0:
            return False
        kept = await self._kept(name)
        return kept is not None and kept[1] == grant.fence

    async def release(self, name: str, grant: Grant) -> None:
        """See `Backend`."""
        del name  # the key goes with its lease
        await self._revoke(grant.handle)

    async def look(self, name: str) -> Holder | None:
        """See `Backend`."""
        kept = await self._kept(name)
        return None if kept is None else kept[0]

    async def take_away(self, name: str) -> Holder | None:
        """See `Backend`."""
        kept = await self._kept(name)
        await self._ask("kv/deleterange", {"key": self._key(name)})
        return None if kept is None else kept[0]

    async def _kept(self, name: str) -> tuple[Holder, int] | None:
        """Return who has a lock, and the revision of that."""
        found = (await self._ask("kv/range", {"key": self._key(name)})).get("kvs", [])
        if not found:
            return None
        revision = int(found[0]["mod_revision"])
        value = json.loads(base64.b64decode(found[0].get("value", "")))
        return Holder(**value, fence=revision, until=None), revision

    def _is_at(self, name: str, revision: int) -> Json:
        """Return the comparison that a lock is still as it was seen; 0: not there."""
        return {
            "key": self._key(name),
            "target": "MOD",
            "result": "EQUAL",
            "mod_revision": str(revision),
        }

    def _key(self, name: str) -> str:
        return _encoded(self._prefix + name)

    async def _revoke(self, lease: str) -> None:
        await self._ask("lease/revoke", {"ID": lease}, missing_is_fine=True)

    async def _ask(self, path: str, body: Json, *, missing_is_fine: bool = False) -> Json:
        """Return the answer of the first server that gives one.

        Raises:
            LockTroubleError: None does.
        """
        problems = []
        for index, endpoint in enumerate(self._endpoints):
            try:
                answer = await self._client.post(f"{endpoint}/v3/{path}", json=body)
                found: Json = answer.json()
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                problems.append(f"{endpoint}: {str(error) or type(error).__name__}")
                continue
            if answer.status_code == httpx.codes.OK:
                self._endpoints.insert(0, self._endpoints.pop(index))
                return found
            if missing_is_fine and found.get("code") == _NOT_FOUND:
                return {}
            problems.append(f"{endpoint}: {found.get('message') or answer.status_code}")
        raise LockTroubleError("; ".join(problems) or "no endpoint is configured")


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _context(settings: Locks) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca or None)
        if settings.cert:
            context.load_cert_chain(settings.cert, settings.key)
    except OSError as error:
        raise LockTroubleError(f"a certificate cannot be read: {error}") from error
    return context
