"""Random graphs of jobs that follow each other, against a small model of what follows what.

The model knows neither SQL nor journals: it is told the ends in their order and keeps, for
each job that joins others, who has ended. Journals are read in pieces, in any order, again
from an earlier place, and by masters that die before they have stored what they decided.
Whatever happens, each end is followed by exactly the runs that the model says, each once.
"""

from dataclasses import dataclass, field
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from claw.master.engine import consequences, intents, journal, services, sync
from claw.master.engine.turn import Turn
from claw.model import condition
from claw.model.evidence import Evidence
from claw.model.job import Job
from claw.model.retry import Retry
from claw.model.run import Origin, Run, State
from claw.model.trigger import Join, On, Trigger
from tests.kit.chance import examples
from tests.kit.desk import BOOT, Desk, Journal, job

FOUND = "contains:x"
End = tuple[int | None, int | None]
ENDS: list[End] = [(0, None), (0, None), (0, None), (1, None), (3, None), (None, 9)]
STEPS = 20
_RARELY, _OFTEN = 0.2, 0.6
GOOD = {State.SUCCEEDED}
BAD = {State.FAILED, State.TIMED_OUT, State.CRASHED}


class KilledError(Exception):
    """The master dies before it has stored what it decided."""


@st.composite
def graphs(draw: st.DrawFn) -> list[Job]:
    """Draw jobs, each after some of those before it."""
    names = [f"j{no}" for no in range(draw(st.integers(3, 6)))]
    jobs = []
    for no, name in enumerate(names):
        parents = (
            draw(st.lists(st.sampled_from(names[:no]), unique=True, max_size=3)) if no else []
        )
        when = draw(st.sampled_from([None, None, None, "exit:0,3", FOUND]))
        trigger = Trigger(
            after=tuple(parents),
            on=draw(st.sampled_from(On)),
            when=None if when is None else condition.parse(when),
            join=draw(st.sampled_from([Join.ALL, Join.ALL, Join.ANY])),
            max_fanout=draw(st.sampled_from([1, 2, 25])),
        )
        retry = draw(st.sampled_from([None, Retry(delays_s=(0,), max_attempts=2)]))
        jobs.append(
            job(name, trigger=trigger if parents else None, retry=retry, max_instances=2)
        )
    return jobs


@dataclass
class Model:
    """What follows what, as plainly as it can be said."""

    jobs: list[Job]
    root: dict[str, str] = field(default_factory=dict)  # by run
    waiting: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    expected: dict[tuple[Origin, str], bool] = field(default_factory=dict)  # key: it is let go
    told: set[str] = field(default_factory=set)

    def ancestors(self, name: str) -> set[str]:
        """Return a job and all that it comes after."""
        found = {name}
        for one in reversed(self.jobs):
            if one.name in found and one.trigger:
                found |= set(one.trigger.after)
        return found

    def ended(self, run: Run, *, found: bool) -> None:
        """Take in the end of a run."""
        self.told.add(run.id)
        place = 0
        for child in sorted(self.jobs, key=lambda one: one.name):
            rule_ = child.trigger
            if rule_ is None or run.job not in rule_.after or not self.holds(rule_, run, found):
                continue
            together = [run.id]
            if rule_.join is Join.ALL and len(rule_.after) > 1:
                lines = [self.ancestors(parent) for parent in rule_.after]
                group = self.root[run.id] if set.intersection(*lines) else ""
                have = self.waiting.setdefault((child.name, group), {})
                have[run.job] = run.id
                if set(have) != set(rule_.after):
                    continue
                together = sorted(have.values())
                have.clear()
            place += 1
            origin = Origin.JOIN if len(together) > 1 else Origin.TRIGGER
            key = f"{'+'.join(together)}:{child.name}"
            assert (origin, key) not in self.expected
            self.expected[origin, key] = place <= rule_.max_fanout

    def holds(self, rule_: Trigger, run: Run, found: bool) -> bool:
        """Tell whether an end is what a trigger is about."""
        ends = {On.SUCCESS: GOOD, On.FAILURE: BAD, On.COMPLETE: GOOD | BAD}[rule_.on]
        if run.state is State.CANCELED:
            if rule_.on is not On.COMPLETE or not run.attempt:
                return False
        elif run.state not in ends:
            return False
        if rule_.when is None:
            return True
        return found if rule_.when.text == FOUND else run.exit_code in {0, 3}


class Story:
    """A master, its journals and the model, through one random history."""

    def __init__(self, jobs: list[Job], seed: int) -> None:
        self.random = Random(seed)
        self.desk, self.model = Desk(*jobs), Model(jobs)
        self.roots = [one.name for one in jobs if one.trigger is None]
        self.going: list[Journal] = []
        self.evidence: dict[tuple[str, int], Evidence] = {}
        self.ended: set[tuple[str, int]] = set()

    def go(self) -> None:
        """Have some things happen, then let all end, and hold each step against the model."""
        for name in 3 * self.roots:
            self.desk.ask(name)
        for _ in range(STEPS):
            self.random.choice([self.ask, self.end, self.cancel, self.restart, self.dispatch])()
            self.read(self.random.random() if self.random.random() < _RARELY else 1)
            self.check()
        while any(run.is_open for run in self.desk.runs()):
            self.dispatch()
            for which in self.going:
                self.end(which)
            for which in self.random.sample(self.going, len(self.going)):
                self.read(1, which)
                self.check()

    def ask(self) -> None:
        """Ask for a run by hand."""
        self.desk.ask(self.random.choice(self.model.jobs).name)

    def dispatch(self) -> None:
        """Let go what may go."""
        for claim in self.desk.dispatch():
            self.going.append(self.desk.launch(claim))

    def end(self, which: Journal | None = None) -> None:
        """Have a child end, which nobody reads yet."""
        which = which or self._one()
        run = None if which is None else self.desk.run_of(which)
        if which is None or run is None or (run.id, run.attempt) in self.ended:
            return
        self.ended.add((run.id, run.attempt))
        met = (FOUND,) if self.random.random() < _OFTEN else ()
        self.evidence[run.id, run.attempt] = Evidence(met=met)
        which.exit(run.attempt, *self.random.choice(ENDS))
        why = "cancel" if run.stop_why else "exit"
        which.add("ended", run=run.id, attempt=run.attempt, why=why, by="")

    def read(self, part: float, which: Journal | None = None) -> None:
        """Read so much of what is new in a journal, perhaps from its beginning again."""
        which = which or self._one()
        row = self.desk.database.view(lambda tx: tx.supervisor(which.sid)) if which else None
        if which is None or row is None:
            return
        run = self.desk.run_of(which)
        begin = 0 if self.random.random() < _RARELY else row.offset
        data = which.data[begin : row.offset + round(part * (len(which.data) - row.offset))]
        is_killed = self.random.random() < _RARELY

        def apply(turn: Turn) -> None:
            journal.apply_journal(turn, which.sid, data, begin, self.evidence)
            consequences.follow(turn)
            if is_killed:
                raise KilledError

        try:
            self.desk.do(apply)
        except KilledError:
            return
        after = self.desk.run(run.id)
        if not after.is_open and after.id not in self.model.told:
            last = self.evidence.get((after.id, after.attempt), Evidence())
            self.model.ended(after, found=FOUND in last.met)
        if not (after.is_active and after.sid == which.sid):
            self.going.remove(which)

    def cancel(self) -> None:
        """End a run by hand whose child has not ended yet."""
        which = self._one()
        run = None if which is None else self.desk.run_of(which)
        if run is not None and run.is_active and (run.id, run.attempt) not in self.ended:
            self.desk.do(lambda turn: intents.cancel_run(turn, run.id, by="me"))

    def restart(self) -> None:
        """Have another master begin."""
        self.desk.do(lambda turn: services.begin(turn, BOOT))
        self.desk.do(lambda turn: sync.sync(turn, start=False))

    def _one(self) -> Journal | None:
        return self.random.choice(self.going) if self.going else None

    def check(self) -> None:
        """Hold what is stored against the model."""
        runs = self.desk.runs()[::-1]
        for run in runs:
            parent = run.lineage.parent
            self.model.root[run.id] = run.id if parent is None else self.model.root[parent]
            assert run.lineage.root in {None, self.model.root[run.id]}
        origins = {Origin.TRIGGER, Origin.JOIN}
        found = [one for one in runs if one.origin in origins]
        assert {
            (one.origin, one.origin_key): one.state is not State.SKIPPED for one in found
        } == self.model.expected
        assert len(found) == len(self.model.expected)


@settings(max_examples=examples(40), deadline=None)
@given(jobs=graphs(), seed=st.integers(0, 1 << 32))
def test_each_end_is_followed_by_what_the_model_says_and_once(
    jobs: list[Job], seed: int
) -> None:
    Story(jobs, seed).go()
