"""The engine against a small world of supervisors, with the master killed at any moment.

The world keeps what really happened: which attempts were launched, which children live and
how they ended. The engine hears of it through journals alone, and forgets its memory, never
its database, whenever it is killed.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from claw.errors import ConflictError
from claw.master.engine import intents, journal, services, sync
from claw.master.engine.dispatch import Claim
from claw.master.engine.turn import Turn
from claw.model.effect import StopRun
from claw.model.job import Daemon, JobType, Overlap, Restart
from claw.model.run import FINAL, State, may_move
from tests.kit.chance import examples
from tests.kit.desk import BOOT, Desk, Journal, job, service

MAX_PARALLEL = 3
JOBS = (
    job("queue", max_instances=2, max_queued=2),
    job("skip", on_overlap=Overlap.SKIP),
    job("kill", on_overlap=Overlap.KILL_RESTART),
    service("web", autostart=True, restart=Restart(delays_s=(0.0,))),
)
NAMES = st.sampled_from([each.name for each in JOBS])
CODES = st.sampled_from([0, 1])


Act = Callable[[Turn], object]


@dataclass
class Supervisor:
    """One supervisor of the world."""

    claim: Claim
    journal: Journal
    attempt: int
    is_service: bool
    alive: bool = True
    up: bool = True  # its child lives
    stop: StopRun | None = None
    ends: dict[int, int | None] = field(default_factory=dict)


class Engine(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(*JOBS, daemon=Daemon(max_parallel=MAX_PARALLEL))
        self.claims: list[Claim] = []  # in the memory of the master
        self.launched: dict[tuple[str, int], str] = {}  # launch files
        self.world: dict[str, Supervisor] = {}
        self.keys = 0

    @rule(name=NAMES)
    def ask(self, name: str) -> None:
        self.keys += 1
        self._quietly(lambda: self.desk.ask(name, f"k{self.keys}"))

    @rule(name=NAMES, key=st.integers(1, 5))
    def ask_again(self, name: str, key: int) -> None:
        before = {run.origin_key for run in self.desk.runs()}
        self._quietly(lambda: self.desk.ask(name, f"k{key}"))
        if f"k{key}" in before:
            assert len(self.desk.runs()) == len(before)

    @rule(name=NAMES, act=st.sampled_from(["start", "stop", "restart", "pause", "resume"]))
    def operate(self, name: str, act: str) -> None:
        self.keys += 1
        key = f"s{self.keys}"
        acts: dict[str, Act] = {
            "start": lambda turn: intents.start_job(turn, name, by="op", key=key),
            "stop": lambda turn: intents.stop_job(turn, name, by="op"),
            "restart": lambda turn: intents.restart_job(turn, name, by="op", key=key),
            "pause": lambda turn: intents.pause_job(turn, name, by="op"),
            "resume": lambda turn: intents.resume_job(turn, name, by="op"),
        }
        self._quietly(lambda: self.desk.do(acts[act]))

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        runs = [run for run in self.desk.runs() if run.is_open]
        if runs:
            run = data.draw(st.sampled_from(runs))
            self.desk.do(lambda turn: intents.cancel_run(turn, run.id, by="op"))

    def _quietly(self, act: Callable[[], object]) -> None:
        with contextlib.suppress(ConflictError):
            act()

    @rule(name=NAMES)
    def ask_and_work(self, name: str) -> None:
        """Do at once what most often follows each other."""
        self.ask(name)
        self.dispatch()
        while self.claims:
            self.launch()
        for one in self.world.values():
            self._read(one)

    @rule()
    def dispatch(self) -> None:
        self.claims += self.desk.dispatch()

    @precondition(lambda self: self.claims)
    @rule()
    def launch(self) -> None:
        claim = self.claims.pop(0)
        key = (claim.run.id, claim.attempt)
        if key in self.launched:
            return  # the fork server refuses: O_EXCL
        self.launched[key] = claim.sid
        found = Journal(self.desk, claim.sid)
        found.launch(claim)
        self.desk.journals[claim.sid] = found
        is_service = claim.job.type is JobType.CONTINUOUS
        self.world[claim.sid] = Supervisor(claim, found, claim.attempt, is_service)
        self._spawn(self.world[claim.sid])

    def _spawn(self, one: Supervisor) -> None:
        assert one.attempt not in one.ends
        run = one.claim.run.id
        one.journal.add("started", run=run, attempt=one.attempt, pid=800, start=1)
        one.up = True

    @precondition(lambda self: self.claims)
    @rule()
    def refuse_launch(self) -> None:
        claim = self.claims.pop(0)
        self.desk.do(
            lambda turn: journal.launch_refused(
                turn, claim.run.id, claim.attempt, "EAGAIN", retryable=True
            )
        )
        self.desk.pass_s(2)

    @rule(data=st.data(), from_start=st.booleans())
    def read(self, data: st.DataObject, from_start: bool) -> None:
        if self.world:
            one = self.world[data.draw(st.sampled_from(sorted(self.world)))]
            self._read(one)
            before = self.desk.dump()
            self._read(one, from_start=from_start)
            assert self.desk.dump() == before  # I11

    def _read(self, one: Supervisor, *, from_start: bool = False) -> None:
        self.desk.read(one.journal, 0 if from_start else None)

    @rule()
    def perform_stops(self) -> None:
        for stop in self.desk.stops():
            one = self.world.get(stop.sid)
            if one is not None and one.alive:
                one.stop = stop
                one.journal.add(
                    "stopping", run=stop.run, attempt=one.attempt, why=stop.why, by=stop.by
                )

    @rule(from_start=st.booleans(), finished=st.integers(0, 3))
    def kill_master(self, from_start: bool, finished: int) -> None:
        for _ in range(min(finished, len(self.claims))):
            self.launch()  # the fork server ends what it has in hand
        self.claims.clear()
        self.desk.effects.clear()
        self.desk.do(lambda turn: services.begin(turn, BOOT))
        self.desk.do(lambda turn: sync.sync(turn, start=False))
        for row in self.desk.database.view(lambda tx: tx.open_supervisors()):
            self._adopt(row.sid, row.run, from_start=from_start)
        self.desk.do(journal.pending_stops)
        self.desk.do(services.autostart)

    def _adopt(self, sid: str, run_id: str, *, from_start: bool) -> None:
        run = self.desk.run(run_id)
        if (run_id, run.attempt) not in self.launched and sid not in self.world:
            self.desk.do(lambda turn: journal.never_launched(turn, run_id, run.attempt))
            return
        one = self.world[sid]
        self._read(one, from_start=from_start)
        if not one.alive:
            self.desk.do(lambda turn: journal.lost(turn, sid, "gone"))

    def _living(self) -> list[str]:
        return sorted(sid for sid, one in self.world.items() if one.alive)

    @rule(data=st.data(), code=CODES, ends=st.booleans())
    def child_ends(self, data: st.DataObject, code: int, ends: bool) -> None:
        living = [sid for sid in self._living() if self.world[sid].up]
        if living:
            self._end_child(self.world[data.draw(st.sampled_from(living))], code, ends=ends)

    def _end_child(self, one: Supervisor, code: int, *, ends: bool) -> None:
        one.ends[one.attempt] = code
        one.up = False
        one.journal.exit(one.attempt, code)
        run = one.claim.run.id
        if one.is_service and one.stop is None and not ends:
            one.attempt += 1
            at = self.desk.now.timestamp()
            one.journal.add(
                "restarting", run=run, attempt=one.attempt, until=at, restarts=len(one.ends)
            )
            self._spawn(one)
            return
        why = one.stop.why if one.stop else "exit"
        one.journal.add("ended", run=run, attempt=one.attempt, why=why, by="")
        one.alive = False

    @rule(data=st.data())
    def both_are_killed(self, data: st.DataObject) -> None:
        living = self._living()
        if living:
            one = self.world[data.draw(st.sampled_from(living))]
            one.alive = one.up = False
            self._read(one)
            sid = one.claim.sid
            self.desk.do(lambda turn: journal.lost(turn, sid, "killed"))

    @invariant()
    def i2_events_tell_allowed_moves_to_the_present_state(self) -> None:
        for run in self.desk.runs():
            moves = self.desk.moves(run.id)
            assert moves[0][0] is None
            assert moves[-1][1] == run.state
            for (_, new), (old, _) in pairwise(moves):
                assert new == old
            for old, new in moves[1:]:
                assert may_move(State(str(old)), State(str(new)))
            assert sum(State(str(new)) in FINAL for _, new in moves) == (not run.is_open)

    @invariant()
    def no_more_children_live_than_are_allowed(self) -> None:
        once = 0
        for each in JOBS:
            alive = [
                one for one in self.world.values() if one.up and one.claim.job.name == each.name
            ]
            assert len(alive) <= each.max_instances
            once += len(alive) if each.type is not JobType.CONTINUOUS else 0
        assert once <= MAX_PARALLEL

    @invariant()
    def i5_one_key_one_run(self) -> None:
        keys = [(run.origin, run.origin_key) for run in self.desk.runs()]
        assert len(keys) == len(set(keys))

    @invariant()
    def a_living_child_belongs_to_an_open_run(self) -> None:
        for one in self.world.values():
            if one.up:
                run = self.desk.run(one.claim.run.id)
                assert run.is_open
                assert run.sid == one.claim.sid

    def teardown(self) -> None:
        """Let everything come to its end, and compare it with the world."""
        self.kill_master(from_start=True, finished=0)
        self.perform_stops()
        for sid in self._living():
            asked = self.desk.run(self.world[sid].claim.run.id).stop_why
            assert asked is None or self.world[sid].stop is not None
        for _ in range(60):
            self._one_more_round()
        for run in self.desk.runs():
            standing = self.desk.standing(run.job)
            if standing.stopped_by is None and standing.paused_by is None:
                assert not run.is_open, run
            if standing.stopped_by is not None:
                assert not run.is_open, run
        for one in self.world.values():
            self._compare(one)

    def _one_more_round(self) -> None:
        self.dispatch()
        while self.claims:
            self.launch()
        self.perform_stops()
        for sid in self._living():
            if self.world[sid].up:
                self._end_child(self.world[sid], 0, ends=True)
        for one in self.world.values():
            self._read(one, from_start=True)
        self.desk.pass_s(10)

    def _compare(self, one: Supervisor) -> None:
        run = one.claim.run.id
        rows = {row.no: row for row in self.desk.database.view(lambda tx: tx.attempts(run))}
        for number, code in one.ends.items():
            assert rows[number].exit_code == code
            assert rows[number].sid == one.claim.sid
        final = self.desk.run(run)
        if final.sid == one.claim.sid and one.attempt in one.ends:
            by_itself = State.FAILED if one.ends[one.attempt] else State.SUCCEEDED
            expected = by_itself if one.stop is None else State.CANCELED
            assert final.state is expected


TestEngine = Engine.TestCase
TestEngine.settings = settings(
    max_examples=examples(60),
    stateful_step_count=40,
)
