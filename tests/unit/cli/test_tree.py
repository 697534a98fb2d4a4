"""How jobs that follow each other are drawn."""

from datetime import UTC, datetime
from typing import Any

from claw.cli.render import tree
from claw.cli.terminal import PLAIN

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def _node(name: str, *after: str, **values: object) -> dict[str, Any]:
    rule = {"after": list(after), "on": "success", "delay_s": 0, "when": None, "join": "all"}
    rule |= {key: values.pop(key) for key in list(values) if key in rule}
    node = {"name": name, "enabled": True, "steps": [], "next": []}
    return {**node, "trigger": rule if after else None, **values}


def _drawn(*nodes: dict[str, Any]) -> list[str]:
    for one in nodes:
        one["next"] = [
            other["name"]
            for other in nodes
            if other["trigger"] and one["name"] in other["trigger"]["after"]
        ]
    roots = [one["name"] for one in nodes if not one["trigger"]]
    return tree.render({"roots": roots, "jobs": list(nodes)}, PLAIN, NOW).splitlines()


def test_what_follows_is_drawn_below_with_its_rule() -> None:
    assert _drawn(
        _node("a"),
        _node("b", "a", delay_s=3, when="exit:3"),
        _node("c", "b", on="failure", enabled=False),
        _node("d", "a", "b", join="any"),
        _node("e", "d"),
    ) == [
        "a",
        "├─ b [on:success] (+3s) when exit:3",
        "│  ├─ c (disabled) [on:failure]",
        "│  └─ d [on:success] any of a, b",
        "│     └─ e [on:success]",
        "└─ d [on:success] any of a, b  (see above)",
    ]


def test_the_steps_of_a_workflow_are_drawn_before_what_follows_it() -> None:
    steps = [
        {"name": "get", "job": "w.get", "needs": [], "on": "success"},
        {"name": "put", "job": "load", "needs": ["get"], "on": "complete"},
    ]
    assert _drawn(_node("w", steps=steps), _node("x", "w", steps=steps[:1])) == [
        "w",
        "│  · get",
        "│  · put = load needs get [on:complete]",
        "└─ x [on:success]",
        "      · get",
    ]


def test_nothing_to_draw_says_how_there_would_be() -> None:
    assert _drawn() == [tree.NONE]
