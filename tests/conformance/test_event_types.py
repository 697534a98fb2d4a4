"""The table of event types has what is appended, and nothing else."""

import ast
from collections.abc import Iterator

from claw.commands.shapes import RUN_STATES
from claw.model.eventtypes import TYPES
from tests.kit.sources import Module, modules

UNSTORED = {"delivery.test"}
"""Told to channels only."""


def _constants(module: Module) -> dict[str, str]:
    """Return the texts that names of a module stand for."""
    found: dict[str, str] = {}
    for node in module.tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = (
                    zip(target.elts, node.value.elts, strict=True)
                    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                    else [(target, node.value)]
                )
                for name, value in pairs:
                    if isinstance(name, ast.Name) and isinstance(value, ast.Constant):
                        found[name.id] = str(value.value)
    return found


def _appended(module: Module) -> Iterator[str]:
    """Yield the types that a module names where it appends events."""
    known = _constants(module)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            for value in _types_of(node):
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.value
                elif isinstance(value, ast.Name) and value.id in known:
                    yield known[value.id]


def _types_of(call: ast.Call) -> Iterator[ast.expr]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if name == "note" and owner.endswith("turn"):
        yield from call.args[:1]
    if isinstance(call.func, ast.Name) and call.func.id in {"Event", "Step"}:
        yield from (one.value for one in call.keywords if one.arg in {"type", "note"})


def test_every_type_that_is_appended_is_in_the_table() -> None:
    found = {
        each
        for module in modules()
        if module.name.startswith(("claw/master/", "claw/model/"))
        for each in _appended(module)
    }

    assert len(found) > 30
    assert found - UNSTORED <= set(TYPES)


def test_every_type_of_the_table_is_named_somewhere() -> None:
    texts = {text for module in modules() for text in module.strings()
             if module.name != "claw/model/eventtypes.py"}  # fmt: skip
    named = {f"run.{state}" for state in RUN_STATES} | {"run.outside_hours"}

    assert [one for one in TYPES if one not in texts | named] == []


def test_each_state_of_a_run_has_its_event() -> None:
    assert [one.removeprefix("run.") for one in TYPES][: len(RUN_STATES)] == list(RUN_STATES)


def test_each_says_what_has_happened_in_a_line() -> None:
    assert all(says and len(says) < 90 and not says.endswith(".") for says in TYPES.values())
