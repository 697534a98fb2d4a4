"""Whatever the graph: jobs begin after what they need, and end before it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from claw.master.engine import intents, journal
from claw.master.engine.turn import Turn
from claw.model.effect import StopRun
from claw.model.graph import Dependency
from claw.model.run import State
from tests.kit.chance import examples
from tests.kit.desk import Desk, Journal, service

_COUNT = 6
_EDGES = st.sets(
    st.tuples(st.integers(0, _COUNT - 1), st.integers(0, _COUNT - 1)).filter(
        lambda pair: pair[0] < pair[1]
    ),
    max_size=10,
)


class _World:
    """Services that wait for each other, and a master that may be another one at any time."""

    def __init__(self, edges: set[tuple[int, int]]) -> None:
        self.needs = {
            f"j{no}": {f"j{needed}" for waits, needed in edges if waits == no}
            for no in range(_COUNT)
        }
        self.desk = Desk(
            *(
                service(
                    name,
                    autostart=True,
                    depends_on=tuple(Dependency(job=one) for one in sorted(needed)),
                )
                for name, needed in self.needs.items()
            )
        )
        self.alive: dict[str, Journal] = {}
        self.ready: set[str] = set()
        self.told: list[str] = []

    def dispatch(self) -> None:
        for claim in self.desk.dispatch():
            assert self.needs[claim.job.name] <= self.ready
            self.alive[claim.job.name] = self.desk.launch(claim)

    def become_ready(self, name: str) -> None:
        found = self.alive[name]
        found.add("ready", run="", attempt=1, by="none")
        self.desk.read(found)
        self.ready.add(name)
        self.dispatch()

    def take_stops(self, ending: set[str]) -> None:
        names = {one.sid: name for name, one in self.alive.items()}
        for stop in [one for one in self.desk.effects if isinstance(one, StopRun)]:
            name = names.get(stop.sid)
            if name is not None and name not in self.told:
                dependents = {other for other, needed in self.needs.items() if name in needed}
                assert not dependents & self.alive.keys() & ending
                self.told.append(name)
        self.desk.effects.clear()


@settings(max_examples=examples(60), deadline=None)
@given(_EDGES, st.data())
def test_jobs_begin_bottom_up_and_end_top_down(
    edges: set[tuple[int, int]], data: st.DataObject
) -> None:
    world = _World(edges)
    desk = world.desk
    world.dispatch()
    while waiting := sorted(world.alive.keys() - world.ready):
        world.become_ready(data.draw(st.sampled_from(waiting)))
    assert world.ready == world.needs.keys()
    assert len(desk.runs()) == _COUNT
    desk.effects.clear()

    names = data.draw(st.permutations(sorted(world.needs)))
    ending = set(names[: data.draw(st.integers(1, _COUNT))])
    whole = data.draw(st.booleans())

    def stop(turn: Turn) -> None:
        for name in names:
            if name in ending:
                intents.stop_job(turn, name, by="eve")

    if whole:
        ending = set(names)
        desk.do(lambda turn: intents.shut_down(turn, by="daemon"))
    else:
        desk.do(stop)
    world.take_stops(ending)
    while leaving := [name for name in world.told if name in world.alive]:
        name = data.draw(st.sampled_from(leaving))
        desk.end(world.alive[name], None, signal=15, why="shutdown" if whole else "stop")
        del world.alive[name]
        if data.draw(st.booleans()):
            desk.do(journal.pending_stops)  # another master
        world.take_stops(ending)
    assert set(world.told) == ending
    assert {run.job for run in desk.runs(state=State.CANCELED)} == ending
