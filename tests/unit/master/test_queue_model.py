"""Queue, gates, retries and schedules against a small model of themselves.

The model knows nothing of SQL, journals or marks at gates: it keeps a list of runs, sorts it
and counts. The engine's master is killed between any two steps and loses its memory, never
its database; supervisors and children are killed together. After each step the two agree
about the state of every run, and after each pass of the gates about who was let go.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from claw.master.engine import intents, journal, services, slots, sync
from claw.master.engine.dispatch import Claim
from claw.model.job import CatchUp, Daemon, JobType
from claw.model.pool import PoolUse
from claw.model.retry import Delivery, Retry
from claw.model.run import Priority, State
from tests.kit.chance import examples
from tests.kit.desk import BOOT, Desk, Journal, job

AGING_S, MAX_PARALLEL, POOL = 300.0, 3, 3
LADDER, REPLAYS = (0.0, 5.0, 60.0), (0.0, 10.0, 60.0, 300.0)
JOBS = (
    job(
        "light",
        max_instances=2,
        pool=PoolUse("p"),
        retry=Retry(delays_s=LADDER, max_attempts=4),
    ),
    job("heavy", max_instances=2, pool=PoolUse("p", 2)),
    job("sure", delivery_guarantee=Delivery.AT_LEAST_ONCE),
    job(
        "tick",
        JobType.SCHEDULED,
        schedule=("* * * * *",),
        catch_up=CatchUp.ALL,
        catch_up_window_s=1e9,
        max_instances=2,
    ),
)
BY_NAME = {each.name: each for each in JOBS}
ASKED = st.sampled_from(["light", "heavy", "sure"])
LOOKS = {State.QUEUED, State.RETRY_WAIT}


@dataclass
class Twin:
    """What the model knows of a run."""

    id: str
    job: str
    priority: int
    due_at: datetime
    state: State = State.QUEUED
    attempt: int = 0
    retries: int = 0

    def rank(self, now: datetime) -> tuple[int, datetime, str]:
        waited_s = max((now - self.due_at).total_seconds(), 0.0)
        return max(self.priority - int(waited_s // AGING_S), 0), self.due_at, self.id

    def end(self, code: int | None, at: datetime) -> None:
        """Have its attempt end; without a code it was lost."""
        delays: tuple[float, ...] = ()
        most, bad = 1, State.FAILED
        if code is None:
            bad = State.CRASHED
            delays, most = (REPLAYS, 5) if self.job == "sure" else ((), 1)
        elif self.job == "light":
            delays, most = LADDER, 4
        if code == 0:
            self.state = State.SUCCEEDED
        elif self.retries + 1 >= most:
            self.state = bad
        else:
            self.due_at = at + timedelta(seconds=delays[min(self.retries, len(delays) - 1)])
            self.retries += 1
            self.state = State.RETRY_WAIT


class Model:
    """The queue, as its rules are written."""

    def __init__(self) -> None:
        self.runs: dict[str, Twin] = {}

    def passes(self, now: datetime) -> set[str]:
        """Let go what may go, and return which runs."""
        for run in self.runs.values():
            if run.state is State.RETRY_WAIT and run.due_at <= now:
                run.state = State.QUEUED
        active = [run for run in self.runs.values() if run.state is State.CLAIMED]
        left = {each.name: each.max_instances for each in JOBS}
        room = {"p": POOL, "all": MAX_PARALLEL}
        for run in active:
            left[run.job] -= 1
            for name, amount in self._wants(run):
                room[name] -= amount
        due = [run for run in self.runs.values() if run.state is State.QUEUED]
        gone = set()
        for run in sorted((run for run in due if run.due_at <= now), key=lambda r: r.rank(now)):
            left[run.job] -= 1
            if left[run.job] >= 0 and self._take(room, run):
                run.state, run.attempt = State.CLAIMED, run.attempt + 1
                gone.add(run.id)
        return gone

    def _wants(self, run: Twin) -> list[tuple[str, int]]:
        pool = BY_NAME[run.job].pool
        return [*([("p", pool.slots)] if pool else []), ("all", 1)]

    def _take(self, room: dict[str, int], run: Twin) -> bool:
        """Take what a run wants; where too little is left nobody else gets any of it."""
        for name, amount in self._wants(run):
            if amount > room[name]:
                room[name] = 0
                return False
            room[name] -= amount
        return True


@dataclass
class Child:
    """A run's present child, and the journal of its supervisor."""

    claim: Claim
    journal: Journal


class Queue(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        daemon = Daemon(max_parallel=MAX_PARALLEL, priority_aging_s=AGING_S)
        self.desk = Desk(*JOBS, daemon=daemon, pools=(("p", POOL),))
        self.model = Model()
        self.claims: list[Claim] = []  # in the memory of the master
        self.children: dict[str, Child] = {}
        self.closed: list[tuple[datetime, datetime]] = []  # when tick was paused
        self.paused_at: datetime | None = None
        self.begun_at = self.desk.now

    # -- what people and time do ---------------------------------------------------------

    @rule(name=ASKED, priority=st.sampled_from(Priority), delay_s=st.sampled_from([0, 0, 90]))
    def ask(self, name: str, priority: Priority, delay_s: int) -> None:
        due_at = self.desk.now + timedelta(seconds=delay_s)
        run = self.desk.ask(name, priority=priority, due_at=due_at)
        self.model.runs[run.id] = Twin(run.id, name, priority, run.due_at)

    @rule(seconds=st.sampled_from([1.0, 7.0, 61.0, 400.0]))
    def wait(self, seconds: float) -> None:
        self.desk.pass_s(seconds)

    @rule()
    def tick(self) -> None:
        self.desk.do(lambda turn: slots.tick(turn, ["tick"]))
        self._learn_of_slots()

    def _learn_of_slots(self) -> None:
        for run in self.desk.runs("tick"):
            if run.id not in self.model.runs and run.state is not State.SKIPPED:
                self.model.runs[run.id] = Twin(run.id, "tick", Priority.NORMAL, run.due_at)

    @rule()
    def pause_or_resume_tick(self) -> None:
        if self.paused_at is None:
            self.desk.do(lambda turn: intents.pause_job(turn, "tick", by="op"))
            self.paused_at = self.desk.now
        else:
            self.desk.do(lambda turn: intents.resume_job(turn, "tick", by="op"))
            self.closed.append((self.paused_at, self.desk.now))
            self.paused_at = None
        self._learn_of_slots()

    @precondition(lambda self: any(run.state in LOOKS for run in self.model.runs.values()))
    @rule(data=st.data())
    def cancel_what_waits(self, data: st.DataObject) -> None:
        waiting = sorted(run.id for run in self.model.runs.values() if run.state in LOOKS)
        run_id = data.draw(st.sampled_from(waiting))
        self.desk.do(lambda turn: intents.cancel_run(turn, run_id, by="op"))
        self.model.runs[run_id].state = State.CANCELED

    # -- what the master and its processes do ----------------------------------------------

    @rule()
    def dispatch(self) -> None:
        held = self.paused_at is not None
        aside = {run.id: run for run in self.model.runs.values() if held and run.job == "tick"}
        before = {run_id: run.state for run_id, run in aside.items()}
        for run in aside.values():
            run.state = State.MISSED if run.state is State.QUEUED else run.state
        claims = self.desk.dispatch()
        expected = self.model.passes(self.desk.now)
        for run_id, run in aside.items():
            run.state = before[run_id] if run.state is State.MISSED else run.state
        assert {claim.run.id for claim in claims} == expected
        self.claims += claims

    @precondition(lambda self: self.claims)
    @rule()
    def launch(self) -> None:
        claim = self.claims.pop(0)
        self.children[claim.run.id] = Child(claim, self.desk.launch(claim))

    @precondition(lambda self: self.children)
    @rule(data=st.data(), code=st.sampled_from([0, 1, 1]), is_read=st.booleans())
    def child_ends(self, data: st.DataObject, code: int, is_read: bool) -> None:
        child = self.children.pop(data.draw(st.sampled_from(sorted(self.children))))
        run, found = child.claim.run, child.journal
        found.exit(child.claim.attempt, code)
        found.add("ended", run=run.id, attempt=child.claim.attempt, why="exit", by="")
        self.model.runs[run.id].end(code, self.desk.now)
        self.desk.read(found, None if is_read else 0)  # or from its beginning

    @precondition(lambda self: self.children)
    @rule(data=st.data())
    def supervisor_and_child_are_killed(self, data: st.DataObject) -> None:
        run_id = data.draw(st.sampled_from(sorted(self.children)))
        sid = self.children.pop(run_id).claim.sid
        self.model.runs[run_id].end(None, self.desk.now)
        self.desk.do(lambda turn: journal.lost(turn, sid, "killed"))

    @rule(launched=st.integers(0, 2))
    def kill_master(self, launched: int) -> None:
        for _ in range(min(launched, len(self.claims))):
            self.launch()  # the fork server ends what it has in hand
        forgotten, self.claims = self.claims, []
        self.desk.effects.clear()
        self.desk.do(lambda turn: services.begin(turn, BOOT))
        self.desk.do(lambda turn: sync.sync(turn, start=False))
        for claim in forgotten:
            run = self.model.runs[claim.run.id]
            run.state, run.attempt = State.QUEUED, run.attempt - 1
            self.desk.do(
                lambda turn, one=claim: journal.never_launched(  # type: ignore[misc]
                    turn, one.run.id, one.attempt
                )
            )

    # -- what must be true -----------------------------------------------------------------

    @invariant()
    def both_say_the_same_of_every_run(self) -> None:
        stored = {run.id: run for run in self.desk.runs()}
        for twin in self.model.runs.values():
            run = stored[twin.id]
            state = State.CLAIMED if run.state is State.RUNNING else run.state
            if state is State.QUEUED and twin.state is State.RETRY_WAIT:
                assert twin.due_at <= self.desk.now  # put back, and not let go yet
                continue
            assert (twin.state, twin.attempt) == (state, run.attempt), run

    def teardown(self) -> None:
        """Let all come to its end: each slot has one row, each attempt its record."""
        if self.paused_at is not None:
            self.pause_or_resume_tick()
        self.kill_master(launched=0)
        for _ in range(400):
            self.desk.pass_s(61)
            self.dispatch()
            while self.claims:
                self.launch()
            for run_id in sorted(self.children):
                child = self.children.pop(run_id)
                self.model.runs[run_id].end(0, self.desk.now)
                self.desk.end(child.journal)
            if not any(run.state in LOOKS for run in self.model.runs.values()):
                break
        self.tick()
        self._check_slots()
        for twin in self.model.runs.values():
            attempts = self.desk.database.view(lambda tx, one=twin: tx.attempts(one.id))  # type: ignore[misc]
            assert [attempt.no for attempt in attempts] == list(range(1, twin.attempt + 1))
        both = [(run.origin, run.origin_key) for run in self.desk.runs()]
        assert len(both) == len(set(both))

    def _check_slots(self) -> None:
        minute = self.begun_at
        rows: dict[datetime, int] = {}
        for run in self.desk.runs("tick"):
            assert run.slot_at is not None
            assert run.state is not State.MISSED
            for number in range(run.slot_count):
                slot = run.slot_at + timedelta(minutes=number)
                rows[slot] = rows.get(slot, 0) + 1
                is_closed = any(begin < slot <= end for begin, end in self.closed)
                assert (run.state is State.SKIPPED) == is_closed
        while (minute := minute + timedelta(minutes=1)) <= self.desk.now:
            assert rows.pop(minute, 0) == 1, minute
        assert rows == {}


TestQueue = Queue.TestCase
TestQueue.settings = settings(max_examples=examples(40), stateful_step_count=40)
