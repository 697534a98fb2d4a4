"""The master is killed at random instants of a workflow: each step runs once per attempt."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from claw.errors import ClawError
from claw.model.workflow import On, OnBadEnd, Step, Workflow
from tests.kit.flows import Model
from tests.kit.master import PATIENCE_S, MasterUnderTest, StartMaster
from tests.kit.witness import Witness

SHORT, LONG, PARTS = 1, 3, 4
"""So many workflows in one test: one that takes longer than two minutes is taken to hang."""
_CODES = {"a": 0, "b": 0, "c": 3, "d": 0, "e": 0, "f": 0, "g": 0}
_NEEDS: dict[str, tuple[tuple[str, ...], On]] = {
    "a": ((), On.SUCCESS),
    "b": (("a",), On.SUCCESS),
    "c": (("a",), On.SUCCESS),
    "d": (("b", "c"), On.SUCCESS),
    "e": (("c",), On.FAILURE),
    "f": (("d", "e"), On.COMPLETE),
    "g": (("b",), On.SUCCESS),
}
_RETRIED = "c"
_ATTEMPTS = 2
_KILLS = 5
"""Of one workflow: it is over soon."""


def _configured(witness: Witness) -> str:
    lines = ["[workflows.w]", 'on_failure = "continue"']
    for name, (needs, on) in _NEEDS.items():
        lines += [f"[workflows.w.steps.{name}]", witness.command(_CODES[name], 0, 0.1)]
        if needs:
            lines += [f"needs = {list(needs)}", f'on = "{on}"']
        if name == _RETRIED:
            lines.append(f"retry = {{ delays = [0.1], max_attempts = {_ATTEMPTS} }}")
    return "\n".join(lines)


def _expected() -> Model:
    steps = tuple(
        Step(name=name, job=name, needs=needs, on=on) for name, (needs, on) in _NEEDS.items()
    )
    model = Model(Workflow(steps=steps, on_failure=OnBadEnd.CONTINUE))
    model.settle()
    while not model.is_over:
        step = min(model.running)
        model.end(step, _CODES[step])
        model.settle()
    return model


def _play(claw: MasterUnderTest, dice: random.Random) -> str:
    """Run the workflow while masters are killed; return its id once it is over."""
    whole = str(claw.call("run.submit", job="w")["run"])
    deadline = time.monotonic() + 2 * PATIENCE_S
    kills = 0
    while True:
        assert time.monotonic() < deadline
        time.sleep(dice.uniform(0.0, 0.25))  # at any instant
        try:
            if claw.call("workflow.show", workflow=whole)["ended_at"] is not None:
                return whole
        except ClawError:  # it has not begun yet, or is not up
            pass
        if kills < _KILLS:
            kills += 1
            claw.kill()
            claw.start()


def _campaign(claw: MasterUnderTest, witness: Witness, dice: random.Random, count: int) -> None:
    expected = _expected()
    for _ in range(count):
        shown = claw.call("workflow.show", workflow=_play(claw, dice))
        steps = {one["name"]: one for one in shown["steps"]}
        assert shown["state"] == expected.state
        assert {name: one["state"] for name, one in steps.items()} == expected.states({})
        told = Counter((line.run, line.attempt) for line in witness.lines())
        assert set(told.values()) == {1}
        for name, one in steps.items():
            wanted = _ATTEMPTS if name == _RETRIED else 1
            wanted = 0 if name in expected.left_out else wanted
            assert witness.count(one["run"]) == wanted, name


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


def test_a_workflow_ends_as_it_would_have_without_kills(
    start_master: StartMaster, witness: Witness, seed: int
) -> None:
    _campaign(start_master(_configured(witness)), witness, random.Random(seed), SHORT)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_many_workflows_end_as_they_would_have_without_kills(
    start_master: StartMaster, witness: Witness, seed: int, part: int
) -> None:
    dice = random.Random(seed + part)
    _campaign(start_master(_configured(witness)), witness, dice, LONG)
