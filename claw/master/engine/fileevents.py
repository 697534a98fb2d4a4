"""What has become of files that jobs watch: stored, and made runs of, in one decision.

A file that is worth a run waits in its row of the store for room in the queue. So a run and
the note that its file has been handled are on disk together, and nothing is lost to a full
queue: the dispatcher goes on with what waits (`resume`).
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from claw.master.engine import happenings, intake, intents
from claw.master.engine.happenings import Told
from claw.master.engine.turn import Turn
from claw.model import gates, watching
from claw.model.effect import Dispatch
from claw.model.happening import Source
from claw.model.job import Job, JobType
from claw.model.lineage import Lineage
from claw.model.run import Origin
from claw.model.watching import FileWatch, Known, Seen, Verdict, Word

BATCH = 200
"""Files that are made runs of in one decision."""
BY = "watch"
_AGAIN = " again"
_NS = 1_000_000_000


def mark(watch: FileWatch, path: str) -> str:
    """Return under which name it is stored since when a path is watched."""
    return f"{path} and below" if watch.is_recursive else path


def sync(turn: Turn) -> None:
    """Note since when jobs watch their paths, and forget what is not watched any more."""
    watching_jobs = {job.name: job.watch for job in turn.config.jobs if job.watch is not None}
    for name in turn.tx.jobs_with_watches():
        if name not in watching_jobs:
            turn.tx.forget_watched(name)
    for name, watch in watching_jobs.items():
        marks = {mark(watch, path) for path in watch.paths}
        for path in turn.tx.watches(name).keys() - marks:
            turn.tx.delete_watch(name, path)
        for path in marks:
            turn.tx.put_watch(name, path, turn.now)


def is_open(turn: Turn, name: str) -> bool:
    """Tell whether a job takes in what has become of its files now.

    While it is stopped, paused or disabled they wait where they are, and are found later.
    """
    job = turn.config.job(name)
    if job is None or job.watch is None:
        return False
    return gates.closed(turn.standing(name)) is None


def record(turn: Turn, name: str, seen: Sequence[Seen]) -> int:
    """Store what has become of files, and make runs of what is worth it.

    Returns:
        Of how many something new was stored.
    """
    job = turn.config.job(name)
    if job is None or job.watch is None or not is_open(turn, name):
        return 0
    found = [(one, _store(turn, job, job.watch, one)) for one in seen]
    news = [(one, verdict) for one, verdict in found if verdict.is_news]
    if job.type is JobType.CONTINUOUS:
        _restart(turn, job, [one for one, verdict in news if verdict.word is not None])
    else:
        resume(turn)
    return len(news)


def _store(turn: Turn, job: Job, watch: FileWatch, seen: Seen) -> Verdict:
    known = turn.tx.watched(job.name, seen.path)
    verdict = watching.judge(watch.events, known, seen)
    version = seen.version or (None if known is None else known.version)
    if not verdict.is_news or version is None:
        return verdict
    waiting = _waiting(verdict)
    if not waiting and known is not None and seen.version is not None:
        waiting = known.waiting  # what was worth a run before still is
    if job.type is JobType.CONTINUOUS:
        waiting = ""
    row = Known(path=seen.path, version=version, is_gone=seen.version is None, waiting=waiting)
    turn.tx.put_watched(job.name, row, turn.now)
    return verdict


def _waiting(verdict: Verdict) -> str:
    if verdict.word is None:
        return ""
    return f"{verdict.word}{_AGAIN}" if verdict.is_return else str(verdict.word)


def resume(turn: Turn) -> None:
    """Make runs of the files that wait for one, as far as the queue has room."""
    rows = turn.tx.watched_waiting(BATCH)
    if not rows:
        return
    room = turn.config.daemon.max_queue - turn.tx.count_open()
    for name, known in rows[: max(0, room)]:
        job = turn.config.job(name)
        if job is not None and job.watch is not None:
            _submit(turn, job, known)
        turn.tx.done_watched(name, known.path)
    if room > len(rows) == BATCH:
        turn.emit(Dispatch())


def _submit(turn: Turn, job: Job, known: Known) -> None:
    word, path, version = known.waiting.removesuffix(_AGAIN), known.path, known.version
    is_return = known.waiting.endswith(_AGAIN)
    key = watching.key_of(job.name, word, path, version, is_return=is_return)
    if turn.tx.run_by_origin(Origin.WATCH, key) is not None:
        return
    data = {
        "path": path,
        "event": word,
        "size": version.size,
        "mtime": _time(version.mtime_ns),
    }
    text = json.dumps(data, ensure_ascii=False)
    one = happenings.store(turn, Told(name=word, data=text, by=BY, source=Source.WATCH))
    ask = intake.Ask(
        job=job.name, origin=Origin.WATCH, key=key, by=BY, lineage=Lineage(event=one.id)
    )
    intake.submit(turn, ask)


def _time(ns: int) -> str | None:
    """Return a time of a file in words; None: there is no such date."""
    try:
        return datetime.fromtimestamp(ns / _NS, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return None


def _restart(turn: Turn, job: Job, changed: Sequence[Seen]) -> None:
    """Restart a service whose files have changed since its child began."""
    runs = turn.tx.active_runs(job.name)
    if not changed or not runs:
        return
    attempts = [turn.tx.attempt(run.id, run.attempt) for run in runs]
    begun = [one.started_at for one in attempts if one is not None and one.started_at]
    if len(begun) == len(runs) and all(_is_older(one, min(begun)) for one in changed):
        return
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    turn.note("job.files_changed", job=job.name, why=f"{changed[0].path}{more}", by=BY)
    intents.restart_job(turn, job.name, by=BY, key=f"{BY}:{turn.new_event_id()}")


def _is_older(seen: Seen, at: datetime) -> bool:
    version = seen.version
    return version is not None and version.ctime_ns < at.timestamp() * _NS


def wanted_words(watch: FileWatch) -> str:
    """Return what a job is started by, in words."""
    return ", ".join(word for word in Word if word in watch.events)
