"""Random workflows, random ends of their steps, and new masters in between, against a model."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from claw.master.engine import definitions, intents, journal, services, steps, sync, workflows
from claw.model.condition import parse
from claw.model.effect import StopRun
from claw.model.retry import Retry
from claw.model.run import Attempt, Run, State
from claw.model.transients import Transients
from claw.model.workflow import On, OnBadEnd, Step, Workflow
from tests.kit.chance import examples
from tests.kit.desk import BOOT, Desk, Journal, job
from tests.kit.flows import Model, flow, newest

_ATTEMPTS = 3
_RETRY = Retry(delays_s=(5.0,), max_attempts=_ATTEMPTS)


@st.composite
def definitions_of(draw: st.DrawFn) -> Workflow:
    """Return a workflow; two of its steps may run the same job."""
    count = draw(st.integers(1, 6))
    made = []
    for no in range(count):
        needs = draw(st.lists(st.integers(0, no - 1), unique=True, max_size=3)) if no else []
        made.append(
            Step(
                name=f"s{no}",
                job=f"j{draw(st.integers(0, 3))}",
                needs=tuple(f"s{need}" for need in needs),
                on=draw(st.sampled_from(On)) if needs else On.SUCCESS,
                when=draw(st.sampled_from([None, None, None, parse("exit:3")]))
                if needs
                else None,
                retry=draw(st.sampled_from([None, None, _RETRY])),
            )
        )
    return Workflow(
        steps=tuple(draw(st.permutations(made))),
        on_failure=draw(st.sampled_from(OnBadEnd)),
        max_parallel=draw(st.sampled_from([0, 0, 1, 2])),
    )


@dataclass
class Play:
    """A workflow under way: the engine, its supervisors, and the model."""

    desk: Desk
    model: Model
    root: str
    journals: dict[str, Journal]
    launched: set[tuple[str, int]]
    anew: Collection[str] = ()

    def launch(self) -> None:
        """Let all begin that may; nothing begins twice."""
        for claim in self.desk.dispatch():
            attempt = (claim.run.id, claim.attempt)
            assert attempt not in self.launched
            self.launched.add(attempt)
            self.journals[str(claim.run.lineage.step)] = self.desk.launch(claim)

    def end(self, step: str, code: int) -> None:
        """Have the child of a step end."""
        found = self.journals.pop(step)
        asked = any(
            isinstance(effect, StopRun) and effect.sid == found.sid
            for effect in self.desk.effects
        )
        run = self.desk.end(found, code, why="cancel" if asked else "exit")
        if run.state is State.RETRY_WAIT:
            self.desk.pass_s(5.0)
            return
        self.model.end(step, None if run.state is State.CANCELED else code)
        if not self.model.is_canceled:
            self.model.settle()

    def replace_master(self) -> None:
        """A new master knows nothing but the store."""
        desk = self.desk
        desk.config = replace(desk.config, transients=Transients())
        steps._definition.cache_clear()
        desk.do(lambda turn: definitions.load(turn.tx, turn.config))
        desk.do(lambda turn: services.begin(turn, BOOT))
        desk.do(lambda turn: sync.sync(turn, start=False))
        for found in self.journals.values():
            desk.read(found, 0)
        desk.do(journal.pending_stops)

    def check(self) -> None:
        """Hold the store against the model."""
        desk = self.desk
        root = desk.run(self.root)
        rows = newest(desk, root, self.anew)
        states = {name: str(run.state) for name, run in rows.items()}
        assert root.state == self.model.state
        assert states == self.model.states(states)
        for name in self.model.running:
            assert rows[name].is_open


@settings(max_examples=examples(60), deadline=None)
@given(definitions_of(), st.data())
def test_random_workflows_end_as_the_model_says(
    definition: Workflow, data: st.DataObject
) -> None:
    names = [f"j{no}" for no in range(4)]
    jobs = [job(name, max_instances=data.draw(st.integers(1, 2))) for name in names]
    desk = Desk(*jobs, flow("all", definition))
    root = desk.ask("all")
    play = Play(desk, Model(definition), root.id, {}, set())
    play.model.settle()
    while desk.run(root.id).is_open:
        play.launch()
        play.check()
        choice = data.draw(st.integers(0, 12))
        if choice == 12:
            play.replace_master()
        elif choice == 11 and not play.model.is_canceled and not play.model.is_over:
            waiting = play.model.running - play.journals.keys()
            desk.do(lambda turn: intents.cancel_run(turn, root.id, by="tester"))
            play.model.cancel()
            for step in waiting:
                play.model.end(step, None)
        elif play.journals:
            step = data.draw(st.sampled_from(sorted(play.journals)))
            play.end(step, data.draw(st.sampled_from([0, 0, 0, 1, 3])))
    play.check()
    assert play.model.is_over
    for name, run in newest(desk, root).items():
        begun = len({no for one, no in play.launched if one == run.id})
        assert begun == len(_attempts(desk, run)), name
    if data.draw(st.booleans()):
        _run_again(desk, play, definition, data)


def _attempts(desk: Desk, run: Run) -> tuple[Attempt, ...]:
    return desk.database.view(lambda tx: tx.attempts(run.id))


def _run_again(desk: Desk, play: Play, definition: Workflow, data: st.DataObject) -> None:
    """Run the workflow again from a step on: the others stay as they are."""
    since = data.draw(st.sampled_from(definition.steps)).name
    before = newest(desk, desk.run(play.root))
    again = desk.do(
        lambda turn: workflows.retry(turn, play.root, since, key="again", by="tester")
    )
    anew = definition.after(since)
    model = Model(
        definition,
        ended={
            name: {"succeeded": 0, "canceled": None}.get(str(run.state), run.exit_code)
            for name, run in before.items()
            if name not in anew and run.state is not State.SKIPPED
        },
        left_out={
            name
            for name, run in before.items()
            if name not in anew and run.state is State.SKIPPED
        },
    )
    model.settle()
    play = Play(desk, model, again.id, {}, play.launched, anew)
    while desk.run(again.id).is_open:
        play.launch()
        play.check()
        for step in sorted(play.journals):
            play.end(step, 0)
    play.check()
    after = newest(desk, desk.run(again.id))
    for name, run in after.items():
        assert (run.id == before[name].id) == (name not in anew)
