"""The alert rules and the dashboard of contrib/: they speak of metrics that there are."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claw.model.alerts import DELIVERY, AlertKind
from claw.model.metrics import METRICS
from claw.model.run import State

CONTRIB = Path(__file__).parents[2] / "contrib"
RULES = CONTRIB / "prometheus" / "claw.rules.yml"
DASHBOARD = CONTRIB / "grafana" / "claw.json"
SERIES = {name: metric for metric in METRICS.values() for name in metric.series}
OF_PROMETHEUS = {"instance", "job"}
NEEDS_PROMTOOL = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed"
)


def panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text())["panels"])


def expressions() -> Iterator[str]:
    yield from re.findall(r"^ +expr: (.+)$", RULES.read_text(), re.MULTILINE)
    for panel in panels():
        yield from (target["expr"] for target in panel["targets"])


@pytest.mark.parametrize("expression", list(expressions()))
def test_an_expression_names_metrics_and_labels_that_there_are(expression: str) -> None:
    for name, labels in re.findall(r"(claw_\w+)(?:\{([^}]*)\})?", expression):
        assert name in SERIES, name
        for label in re.findall(r"(\w+)[=!]~?=?\"", labels):
            assert label in {*SERIES[name].labels, *OF_PROMETHEUS}, (name, label)


def test_states_and_kinds_that_are_asked_for_are_there() -> None:
    text = "\n".join(expressions())
    kinds = set(re.findall(r"\w+", " ".join(re.findall(r'kind=~?"([^"]+)"', text))))
    assert kinds <= {*AlertKind, DELIVERY}
    ends = re.findall(r'claw_runs_total\{[^}]*state="(\w+)"', text)
    assert set(ends) <= set(State)
    for name in re.findall(r"\{\{ \$labels\.(\w+) \}\}", RULES.read_text()):
        known = {label for metric in METRICS.values() for label in metric.labels}
        assert name in known | OF_PROMETHEUS


def test_each_panel_has_its_place() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in panels()}) == len(panels())


@NEEDS_PROMTOOL
def test_promtool_takes_the_rules_and_they_fire_when_they_should() -> None:
    for words in (["check", "rules", RULES.name], ["test", "rules", "claw.test.yml"]):
        done = subprocess.run(
            ["promtool", *words], cwd=RULES.parent, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
