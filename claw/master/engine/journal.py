r"""What supervisors report: their journals, and what becomes of them when they are gone.

Invariant (I11): a journal read twice, or from any earlier offset, gives the same database.
The offset up to which a journal has taken effect is stored in the transaction of what it
said; lines before it are passed over. A last line without its end is not read: either the
rest of it comes, or the next line ends it, and then it is no JSON and says nothing.

A journal may know more than the database, after damage or a lost write-ahead log: then its
first line makes good the run, or the claim, that is not there.
"""

from collections.abc import Iterator
from datetime import timedelta
from types import MappingProxyType

from claw.master.engine import (
    alerts,
    armed,
    definitions,
    leavings,
    services,
    triggers,
    watchdogs,
)
from claw.master.engine.turn import Turn
from claw.model import fact as facts
from claw.model import ids, machine
from claw.model.alerts import CHECK
from claw.model.effect import Effect, Settled, StopRun
from claw.model.evidence import NOTHING, Evidence, Evidences
from claw.model.job import JobType
from claw.model.outputcheck import Then
from claw.model.retry import NO_RULES, Rules
from claw.model.run import Origin, Run, State, Supervisor
from claw.model.values import replace
from claw.wire import supervision

RETRY_WAIT_S = 1.0
"""How long a run waits after a launch that was refused for now."""


NO_EVIDENCE: Evidences = MappingProxyType({})


def apply_journal(
    turn: Turn, sid: str, data: bytes, offset: int, evidences: Evidences = NO_EVIDENCE
) -> int:
    """Take in a piece of a supervisor's journal.

    Args:
        turn: The decision.
        sid: Whose journal.
        data: Its bytes from ``offset`` on, up to wherever the reader got.
        offset: At most the stored one (`Supervisor.offset`); 0 for a sid not known yet.
        evidences: What is known of the attempts that end in it, as far as it was looked for.

    Returns:
        The offset from which to read on; what lies before it has taken effect.

    Raises:
        ValueError: ``offset`` is beyond what has taken effect: lines would be lost.
    """
    supervisor = turn.tx.supervisor(sid)
    reached = supervisor.offset if supervisor else 0
    if offset > reached:
        raise ValueError(f"journal of {sid}: read from {offset}, taken in up to {reached}")
    for end, fact in lines(data, offset):
        if end <= reached:
            continue
        reached = end
        if fact is not None:
            supervisor = _take_in(turn, sid, supervisor, fact, evidences)
    if supervisor is not None:
        # A step may have closed its row meanwhile: only the offset is ours to change.
        stored = turn.tx.supervisor(sid) or supervisor
        turn.tx.put_supervisor(replace(stored, offset=reached))
        return reached
    return 0


def lines(data: bytes, offset: int) -> Iterator[tuple[int, facts.Fact | None]]:
    """Yield for each whole line where it ends and what it says, if anything."""
    for line in data.split(b"\n")[:-1]:
        offset += len(line) + 1
        message = supervision.decode(line)
        yield offset, None if message is None else facts.parse(message)


def _take_in(
    turn: Turn,
    sid: str,
    supervisor: Supervisor | None,
    fact: facts.Fact,
    evidences: Evidences,
) -> Supervisor | None:
    match fact:
        case facts.Launched():
            return _launched(turn, sid, supervisor, fact)
        case _ if supervisor is None:
            return None
        case facts.TakenOver():
            return _taken_over(turn, supervisor, fact)
        case facts.Withdrawn():
            return _withdrawn(turn, supervisor, fact)
        case _:
            number = getattr(fact, "attempt", 0)
            evidence = evidences.get((supervisor.run, number), NOTHING)
            _follow(turn, supervisor, fact, evidence)
            return supervisor


def _follow(turn: Turn, supervisor: Supervisor, fact: facts.Fact, evidence: Evidence) -> None:
    run = turn.run(supervisor.run)
    number = getattr(fact, "attempt", 0)
    steps = machine.fold(
        run,
        turn.tx.attempt(run.id, number),
        fact,
        sid=supervisor.sid,
        rules=_rules(turn, run) if isinstance(fact, facts.Ended) else NO_RULES,
        evidence=evidence,
    )
    for step in steps:
        run = turn.take(run, step, at=fact.at)
    if evidence is not NOTHING and isinstance(fact, facts.Exited):
        leavings.keep(turn, run, fact.attempt, evidence)
        _tell(turn, run, evidence)


def _tell(turn: Turn, run: Run, evidence: Evidence) -> None:
    """Say what was found in an attempt's output."""
    for text in evidence.remarks:
        turn.note("attempt.note", job=run.job, run=run.id, why=text)
    for check in evidence.found:
        if check.then is Then.ALERT:
            short = ids.short(run.id)
            text = f"{run.job} has printed {check.match}: clawctl logs {short}"
            alerts.raise_alert(turn, CHECK, run.job, run.id, text, about=check.match)


def _rules(turn: Turn, run: Run) -> Rules:
    job = definitions.of_run(turn.tx, turn.config, run)
    return watchdogs.rules(turn, job) if job else NO_RULES


def _launched(
    turn: Turn, sid: str, supervisor: Supervisor | None, fact: facts.Launched
) -> Supervisor:
    run = turn.tx.run(fact.run) or _revived(turn, fact)
    is_claimed = supervisor is not None and supervisor.run == run.id
    if supervisor is None or not is_claimed or run.attempt < fact.attempt:
        # Its first run, or one after others, of which the database did not know.
        new = Supervisor(sid=sid, run=run.id, job=run.job, created_at=fact.at)
        supervisor = replace(supervisor or new, run=run.id, job=run.job, closed_at=None)
        turn.tx.put_supervisor(supervisor)
        run = _bound(turn, run, sid, fact)
    supervisor = replace(
        supervisor,
        pid=fact.pid,
        start_ticks=fact.start,
        boot=fact.boot,
        version=fact.version,
    )
    if supervisor.closed_at is None and not (run.is_active and run.sid == sid):
        supervisor = replace(supervisor, closed_at=fact.at)
    turn.tx.put_supervisor(supervisor)
    run = _ended_if_removed(turn, run)
    turn.emit(*_ends_owed(run, sid))
    return supervisor


def _ended_if_removed(turn: Turn, run: Run) -> Run:
    """End a slot's run that has begun when its job was removed: it was armed."""
    is_slots = run.origin is Origin.SCHEDULE and run.stop_why is None
    if not is_slots or not run.is_active or turn.tx.standing(run.job) is not None:
        return run
    return turn.end(run, why="removed", by="reload")


def _taken_over(turn: Turn, supervisor: Supervisor, fact: facts.TakenOver) -> Supervisor:
    # The line before it may have ended the run, and so have closed the row.
    stored = turn.tx.supervisor(supervisor.sid) or supervisor
    supervisor = replace(stored, pid=fact.pid, start_ticks=fact.start)
    turn.tx.put_supervisor(supervisor)
    run = turn.run(supervisor.run)
    note = f"supervisor {supervisor.sid} was replaced, pid {fact.pid}"
    turn.note("daemon.adopted", job=run.job, why=note)
    turn.emit(*_ends_owed(run, supervisor.sid))
    return supervisor


def _withdrawn(turn: Turn, supervisor: Supervisor, fact: facts.Withdrawn) -> Supervisor | None:
    """Put back a run that was armed; of one that leaves no row, nor does its supervisor."""
    run = turn.tx.run(supervisor.run)
    is_present = run is not None and run.sid == supervisor.sid and run.attempt == fact.attempt
    if run is not None and is_present and run.state is State.CLAIMED:
        _put_back(turn, run, f"withdrawn: {fact.why}", 0.0)
        turn.emit(Settled(supervisor.sid, run.id))
    if turn.tx.run(supervisor.run) is None:
        return None
    return replace(supervisor, closed_at=supervisor.closed_at or fact.at)


def _ends_owed(run: Run, sid: str) -> tuple[Effect, ...]:
    """Return what tells a supervisor that its run shall end, or has no use for it."""
    if run.is_active and run.sid == sid:
        return machine.stop_effects(run)
    return (StopRun(run.id, sid, "cancel", "claw"),)


def _revived(turn: Turn, fact: facts.Launched) -> Run:
    """Store the run that a journal proves and the database does not have."""
    known = {origin.value for origin in Origin}
    run = Run(
        id=fact.run,
        job=fact.job,
        state=State.QUEUED,
        origin=Origin(fact.origin) if fact.origin in known else Origin.MANUAL,
        origin_key=fact.origin_key,
        queued_at=fact.at,
        due_at=fact.at,
        slot_at=fact.slot,
        attempt=fact.attempt - 1,
        cause=fact.cause,
        asked_by="journal",
        instance=fact.instance,
    )
    run = replace(run, lineage=triggers.recalled(turn, run))
    if not turn.add(run, why="its journal was found"):
        run = replace(run, origin_key=f"{run.origin_key}#{run.id}")
        turn.add(run, why="its journal was found")
    return run


def _bound(turn: Turn, run: Run, sid: str, fact: facts.Launched) -> Run:
    """Make a run's claim agree with the launch that a journal proves."""
    row = turn.tx.attempt(run.id, fact.attempt)
    if run.state is State.CLAIMED and run.attempt == fact.attempt and row is not None:
        # The launch that the database knows of never was: this is the one.
        if run.sid is not None and run.sid != sid:
            _forget_claim(turn, run.sid)
        step = machine.Step(replace(run, sid=sid), replace(row, sid=sid))
        return turn.take(run, step, at=fact.at)
    if run.state is State.RUNNING and run.attempt < fact.attempt:
        run = turn.take(run, machine.requeue(run, fact.at), at=fact.at)
    if run.state is State.RETRY_WAIT and run.attempt < fact.attempt:
        run = turn.take(run, machine.resume(run), at=fact.at)
    if run.state is not State.QUEUED or run.attempt >= fact.attempt:
        return run
    run = replace(run, attempt=fact.attempt - 1, cause=fact.cause)
    step = machine.claim(run, sid=sid, at=fact.at, instance=fact.instance)
    return turn.take(run, step, at=fact.at)


def launch_refused(
    turn: Turn,
    run_id: str,
    attempt: int,
    error: str,
    *,
    retryable: bool,
    wait_s: float | None = None,
) -> None:
    """The launch of a claimed run failed before a supervisor was there.

    Args:
        turn: The decision.
        run_id: Whose launch.
        attempt: Which attempt; a later state of the run is left alone.
        error: What failed, for people.
        retryable: It may work in a moment (EAGAIN); else the run fails.
        wait_s: How long that is; None: `RETRY_WAIT_S`.
    """
    run = turn.run(run_id)
    if run.state is not State.CLAIMED or run.attempt != attempt:
        return
    if retryable:
        wait_s = RETRY_WAIT_S if wait_s is None else wait_s
        _put_back(turn, run, f"the launch was refused: {error}", wait_s)
        return
    row = turn.tx.attempt(run_id, attempt)
    if row is not None:
        rules = _rules(turn, run)
        turn.take(run, machine.refuse(run, row, error=error, at=turn.now, rules=rules))


def never_launched(turn: Turn, run_id: str, attempt: int) -> None:
    """A claimed run has no launch file: it goes back to the queue, at once."""
    run = turn.run(run_id)
    if run.state is State.CLAIMED and run.attempt == attempt:
        _put_back(turn, run, "it was never launched", 0.0)


def _put_back(turn: Turn, run: Run, why: str, wait_s: float) -> None:
    if armed.take_back(turn, run, why):
        _forget_claim(turn, run.sid or "")
        return
    due_at = run.due_at
    if wait_s:
        due_at = max(due_at, turn.now + timedelta(seconds=wait_s))
    rules = _rules(turn, run)
    step = machine.unclaim(run, why=why, at=turn.now, due_at=due_at, rules=rules)
    after = turn.take(run, step)
    turn.tx.delete_attempt(run.id, run.attempt)
    if after.state is State.QUEUED:
        turn.tx.set_waiting_for(run.id, why)
    if run.sid is not None:
        _forget_claim(turn, run.sid)


def _forget_claim(turn: Turn, sid: str) -> None:
    """A supervisor has not taken a run: nothing is known of it, or only runs before that."""
    known = turn.tx.supervisor(sid)
    if known is not None and known.offset:
        turn.tx.put_supervisor(replace(known, closed_at=known.closed_at or turn.now))
    else:
        turn.tx.delete_supervisor(sid)


def lost(turn: Turn, sid: str, why: str) -> None:
    """A supervisor and its child are both gone, and its journal, read to its end, has no end.

    The run has crashed, unless its end or its restart was asked for. A service that is
    wanted begins anew, after the wait that its ladder has for so many crashes in a row.
    """
    supervisor = turn.tx.supervisor(sid)
    run = None if supervisor is None else turn.tx.run(supervisor.run)
    if run is None or run.sid != sid or not run.is_active:
        return
    row = turn.tx.attempt(run.id, run.attempt)
    step = machine.lose(run, row, why=why, at=turn.now, rules=_rules(turn, run))
    after = turn.take(run, step)
    job = turn.config.job(run.job)
    if after.state is State.CRASHED and job and job.type is JobType.CONTINUOUS:
        services.revive(turn, job, after)


def pending_stops(turn: Turn) -> None:
    """Name again the stops that were asked for and are not done: a new master's first duty."""
    for run in turn.tx.active_runs():
        turn.emit(*machine.stop_effects(run))
