"""What an incident's archive holds, asked of the master piece by piece."""

from __future__ import annotations

import contextlib
import json

from claw import __version__
from claw.errors import ClawError
from claw.model import masking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from claw.client.client import Client

_NOT_MASKED = frozenset({"toml", "managed", "values"})
_RUNS = 20
_EVENTS = 5000
_PAGE = 500
_LINES = 2000
_MOST_BYTES = 2 << 20
_MOST_LOGS = 20


class Incident:
    """Collects the parts; what could not be had is said in ``manifest.json``."""

    def __init__(self, client: Client, target: str) -> None:
        self._client = client
        self._target = target
        self._notes: list[str] = []

    def parts(self) -> Iterator[tuple[str, bytes]]:
        """Yield the name and the bytes of each file of the archive.

        Raises:
            NotFoundError: There is no such job or run.
        """
        job, runs = self._subject()
        yield "why.json", self._json("job.why", target=self._target)
        yield "daemon.json", self._json("daemon.status")
        yield "status.json", self._json("job.status", targets=[job], verbose=True)
        yield "configuration.json", self._configuration(job)
        yield "alerts.json", self._alerts(job)
        yield "events.jsonl", self._events(job, runs)
        for run in runs:
            yield f"runs/{run}/run.json", self._json("run.show", run=run)
            yield from self._journals(run)
        yield from self._outputs(job, runs)
        manifest = {"target": self._target, "job": job, "runs": runs, "client": __version__}
        yield "manifest.json", _encode({**manifest, "left_out": self._notes})

    def _subject(self) -> tuple[str, list[str]]:
        """Return the job, and the runs that it is about: one, or the last ones."""
        found = self._client.call("incident.subject", target=self._target)
        return found["job"], found["runs"][:_RUNS]

    def _json(self, method: str, **params: Any) -> bytes:
        try:
            return _encode(masking.mask(self._client.call(method, **params)))
        except ClawError as error:
            self._notes.append(f"{method}: {error.message}")
            return _encode({"error": error.message})

    def _configuration(self, job: str) -> bytes:
        try:
            found = self._client.call("job.definition", job=job)
        except ClawError as error:
            self._notes.append(f"job.definition: {error.message}")
            return _encode({"error": error.message})
        kept = {
            key: one for key, one in found.items() if key not in {"toml", "managed", "values"}
        }
        return _encode(masking.mask(kept))

    def _alerts(self, job: str) -> bytes:
        found = self._client.call("alert.list", all=True)["alerts"]
        return _encode([one for one in found if one["job"] in {job, None}])

    def _events(self, job: str, runs: list[str]) -> bytes:
        is_of_run = self._target != job and len(runs) == 1
        wanted = {"run": runs[0]} if is_of_run else {"job": job}
        lines: list[str] = []
        start: int | None = 0
        while start is not None and len(lines) < _EVENTS:
            page = self._client.call(
                "event.list", **{"from": start}, limit=_PAGE, filter=wanted
            )
            lines += [json.dumps(one) for one in page["events"]]
            start = page["next"]
        if start is not None:
            self._notes.append(f"events: only the first {_EVENTS}")
        return "".join(f"{line}\n" for line in lines).encode()

    def _journals(self, run: str) -> Iterator[tuple[str, bytes]]:
        with contextlib.suppress(ClawError):  # said once, by run.show
            for sid in self._client.call("incident.journals", run=run)["sids"]:
                text, offset = "", 0
                while len(text) < _MOST_BYTES:
                    page = self._client.call(
                        "incident.journal", sid=sid, offset=offset, run=run
                    )
                    text += page["text"]
                    if page["next"] is None:
                        break
                    offset = page["next"]
                else:
                    self._notes.append(f"journal {sid}: only its beginning")
                yield f"runs/{run}/journal-{sid}.jsonl", text.encode()

    def _outputs(self, job: str, runs: list[str]) -> Iterator[tuple[str, bytes]]:
        for target in [*runs[:_MOST_LOGS]] or [job]:
            try:
                read = self._client.call("log.read", target=target, lines=_LINES, mask=True)
            except ClawError as error:
                self._notes.append(f"output of {target}: {error.message}")
                continue
            data = read["text"].encode()
            if len(data) > _MOST_BYTES:
                self._notes.append(f"output of {target}: only its end")
            yield f"output/{target}.log", data[-_MOST_BYTES:]


def _encode(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
