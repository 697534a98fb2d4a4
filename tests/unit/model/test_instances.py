"""How many instances there are, and what they are called."""

import pytest

from claw.model import instances
from claw.model.gates import Standing
from claw.model.job import Job, JobType
from tests.kit.desk import T0, a_run, job, service


def _standing(**values: object) -> Standing:
    return Standing(name="web", added_at=T0, active_since=T0, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("definition", "standing", "count"),
    [
        (service("web"), None, 1),
        (service("web", instances=3), None, 3),
        (service("web", instances=3), _standing(), 3),
        (service("web", instances=3), _standing(scale=5, scaled_from=3), 5),
        (service("web", instances=4), _standing(scale=5, scaled_from=3), 4),
        (job("etl"), _standing(scale=5, scaled_from=1), 1),
    ],
)
def test_what_scale_said_holds_until_another_number_is_configured(
    definition: Job, standing: Standing | None, count: int
) -> None:
    assert instances.wanted(definition, standing) == count
    assert list(instances.numbers(definition, standing)) == [*range(1, count + 1)]


def test_only_services_have_instances() -> None:
    assert instances.wanted(job("etl", JobType.SCHEDULED), None) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("web@2", ("web", 2)),
        ("web@12", ("web", 12)),
        ("web", ("web", None)),
        ("web@0", ("web@0", None)),
        ("web@", ("web@", None)),
        ("@2", ("@2", None)),
        ("web@x", ("web@x", None)),
        ("web@٢", ("web@٢", None)),
    ],
)
def test_a_label_is_a_job_and_a_number(text: str, found: tuple[str, int | None]) -> None:
    assert instances.split(text) == found
    if found[1] is not None:
        assert instances.label(*found) == text


def test_a_run_without_a_number_is_the_first() -> None:
    assert instances.number(a_run()) == 1
    assert instances.number(a_run(instance=3)) == 3
    assert instances.fill("http://127.0.0.1:80${instance}/${instance}", 2) == (
        "http://127.0.0.1:802/2"
    )
