"""Every type of event, and what it says has happened; documents and completion fold over it.

A test holds the places that append events against this table.
"""

from claw.model.run import State

_STATES = {
    State.AWAITING_APPROVAL: "a run was asked for that begins only once somebody approves it",
    State.QUEUED: "a run was asked for; or what waited for a retry waits for its turn again",
    State.CLAIMED: "its turn has come: its process is about to be started",
    State.RUNNING: "its process has been started",
    State.RETRY_WAIT: "an attempt failed and another one follows; `why` says when",
    State.SUCCEEDED: "it has ended well",
    State.FAILED: "it has ended badly, for good",
    State.TIMED_OUT: "its last attempt ran out of time",
    State.CRASHED: "its process was lost: the box went down, or all that kept it was killed",
    State.CANCELED: "somebody ended or revoked it",
    State.SKIPPED: "it never began, and never will: `why` says which rule held",
    State.MISSED: "its time passed while nobody could begin it",
}

TYPES: dict[str, str] = {
    **{f"run.{state}": says for state, says in _STATES.items()},
    "run.dead_letter": "it failed for good and was put among the dead letters",
    "run.reinjected": "its dead letter was run again; `why` names the new run",
    "run.purged": "its dead letter was forgotten",
    "run.outside_hours": "it runs although the hours of its job are over",
    "attempt.started": "a process was started; `why` has its number and pid",
    "attempt.ready": "it is ready to work; `why` says what told so",
    "attempt.note": "it had something to say, or a check of its output had",
    "attempt.stopping": "its end was asked for, and why",
    "attempt.exited": "its process has ended; `why` says how",
    "attempt.failed": "its process could not be started",
    "job.added": "it is in the configuration now",
    "job.changed": "its definition was changed; `why` names the keys",
    "job.removed": "it is in the configuration no more",
    "job.refused": "a run of it was wanted, by no person, and refused",
    "job.started": "somebody released it from a stop",
    "job.stopped": "somebody stopped it",
    "job.paused": "somebody paused it",
    "job.resumed": "somebody took it up again",
    "job.scaled": "it has another number of instances",
    "job.rolling": "its instances are being restarted in turn",
    "job.rolled": "they have been",
    "job.rolling_failed": "the turn ended at an instance that did not come up",
    "job.done": "its one run has succeeded",
    "job.fatal": "it failed too often and is not restarted any more",
    "job.retired": "its time is over, and nothing of it begins any more",
    "job.purged": "what was stored of its past was removed",
    "job.files_changed": "files that it watches have changed",
    "job.watchdog": "what it watches has finished, is stuck, or late",
    "job.resources": "it uses more than its `resources` allow",
    "job.resources_over": "it does so no more",
    "alert.raised": "there is something that somebody has to know; `to` is its kind",
    "alert.resolved": "it is over; `from` is its kind",
    "event.emitted": "somebody told of an event of their own; `why` has its name and id",
    "event.token": "a token for events was made",
    "event.token_revoked": "a token for events is good no more",
    "queue.paused": "a pool, or the whole queue, lets nothing begin",
    "queue.resumed": "it does again",
    "pool.set": "a pool has another number of slots",
    "lock.lost": "a run has lost its lock, and is ended",
    "daemon.started": "the daemon has come up; `why` tells what it found",
    "daemon.stopped": "it was asked to end",
    "daemon.adopted": "a process that looked after a run was replaced",
    "daemon.damaged": "the database was damaged and has been made anew",
}  # fmt: skip
"""By type, in the order of docs/reference/events.md."""
