"""What people and programs are told of an event: a subject, a text, and all that is known.

The body of a message is one JSON object, whatever it is about: the event as ``clawctl events``
shows it, and beside it what makes a message of it.
"""

import json
from dataclasses import dataclass
from typing import Any

from claw.kernel import host
from claw.master.engine import steps
from claw.master.engine.turn import Turn
from claw.model import hooks, ids, machine
from claw.model.delivery import DeliveryKind
from claw.model.event import Event, wire_of
from claw.model.hooks import Hook
from claw.model.keeping import Kept, ending
from claw.model.root import is_root
from claw.model.run import Run, State

_LONGEST_SUBJECT = 200
_BARE = frozenset({"exit_code", "signal"})
"""Reasons that say less than the run's exit status does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is to be told.

    Attributes:
        kind: What it is about.
        event: The event that it tells of.
        subject: In some words.
        text: In sentences; of output: the output.
        facts: Of the run, if it is of one.
        more: Beside what every message has.
    """

    kind: DeliveryKind
    event: Event
    subject: str
    text: str
    facts: dict[str, Any] | None = None
    more: dict[str, Any] | None = None

    @property
    def body(self) -> str:
        """All of it as JSON."""
        return json.dumps(
            {
                "kind": self.kind,
                "subject": self.subject,
                "text": self.text,
                **wire_of(self.event),
                "facts": self.facts,
                **(self.more or {}),
            },
            ensure_ascii=False,
        )


def of_hook(turn: Turn, hook: Hook, event: Event) -> Message:
    """Return what a hook tells of an event."""
    what = _of_alert(event) if event.type.startswith("alert.") else event.type
    subject = f"{event.job}: {what}" if event.job else what
    run = _run(turn, event)
    if hook.text:
        text = hooks.filled(hook.text, _words(turn, event, run))
    else:
        why = _how(run) if run and event.why in _BARE else event.why
        text = f"{subject}: {why}" if why else subject
        text += f" (run {ids.short(event.run)})" if event.run else ""
    return Message(
        kind=DeliveryKind.HOOK,
        event=event,
        subject=_short(subject),
        text=text,
        facts=_facts(run),
    )


def of_alert(turn: Turn, event: Event) -> Message:
    """Return what is told of an alert that is raised, or over."""
    is_over, what = event.new is None, _of_alert(event)
    why = event.why or ""
    return Message(
        kind=DeliveryKind.ALERT,
        event=event,
        subject=_short(f"{event.job}: {what}"),
        text=f"{event.job}: {what}: {why}" if is_over else why,
        facts=_facts(_run(turn, event)),
    )


def _of_alert(event: Event) -> str:
    return event.new or f"{event.old} is over"


def of_output(turn: Turn, event: Event, run: Run) -> Message:
    """Return what is told of the output of a run that has ended."""
    how = _how(run)
    is_well = run.state is State.SUCCEEDED
    what = f"{run.job} {run.state.replace('_', ' ')}" + (
        "" if is_well or not how else f": {how}"
    )
    job = turn.config.job(run.job)
    most = 0 if job is None else job.output.excerpt
    printed = {}
    for kept in turn.tx.outputs(run.id):
        if kept.attempt == run.attempt:
            printed[kept.stream] = _end_of(kept, most)
    text = "\n".join(part.rstrip("\n") for part in printed.values() if part)
    short = ids.short(run.id)
    if is_root(run):
        bad = steps.bad_ones(turn.tx, run)
        several = f" (ended badly: {', '.join(bad)})" if len(bad) > 1 else ""
        text = f"{what}{several}: clawctl workflow show {short}"
    return Message(
        kind=DeliveryKind.OUTPUT,
        event=event,
        subject=_short(f"{what} (run {short})"),
        text=text or f"{what}: it has printed nothing that is kept: clawctl logs {short}",
        facts=_facts(run),
        more={"output": printed},
    )


def of_test(turn: Turn, channel: str, by: str) -> Message:
    """Return what somebody has sent to see whether a channel works."""
    text = f"This is a test of channel {channel}, asked for by {by} on {host.name()}."
    event = Event(at=turn.now, type="delivery.test", by=by, why=text)
    return Message(kind=DeliveryKind.TEST, event=event, subject="claw: a test", text=text)


def _how(run: Run) -> str:
    """Return how a run has ended, for people."""
    if run.exit_code is not None or run.signal is not None:
        return machine.exit_text(run.exit_code, run.signal)
    return run.reason or ""


def _end_of(kept: Kept, most: int) -> str:
    if kept.data is not None:
        return ending(kept.data, most, len(kept.data)) if most else ""
    return kept.excerpt or ""


def _run(turn: Turn, event: Event) -> Run | None:
    return None if event.run is None else turn.tx.run(event.run)


def _facts(run: Run | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {
        "state": run.state,
        "attempt": run.attempt,
        "exit_code": run.exit_code,
        "signal": run.signal,
        "reason": run.reason,
        "note": run.note,
        "origin": run.origin,
        "queued_at": run.queued_at.isoformat(),
        "started_at": None if run.started_at is None else run.started_at.isoformat(),
        "ended_at": None if run.ended_at is None else run.ended_at.isoformat(),
        "duration": _duration_s(run),
    }


def _duration_s(run: Run) -> float | None:
    if run.started_at is None or run.ended_at is None:
        return None
    return round((run.ended_at - run.started_at).total_seconds(), 3)


def _words(turn: Turn, event: Event, run: Run | None) -> dict[str, object]:
    """Return what may stand in braces in the text of a hook."""
    job = None if event.job is None else turn.config.job(event.job)
    is_move = event.type.startswith("run.")
    return {
        **(_facts(run) or {}),
        "reason": "" if run is None else _how(run),
        "state": event.new if is_move or run is None else run.state,
        "by": event.by,
        "host": host.name(),
        "job": event.job,
        "name": (job.title or job.name) if job else event.job,
        "run": None if event.run is None else ids.short(event.run),
        "type": event.type,
        "why": event.why,
    }


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_SUBJECT else f"{line[: _LONGEST_SUBJECT - 1]}…"
