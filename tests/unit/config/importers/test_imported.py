"""A harvest: names that nobody has twice, and each note once, however many there are."""

import pytest

from claw.config.importers import naming
from claw.config.importers.imported import Draft, Harvest, Note

MANY = 20_000


def test_a_note_is_compared_with_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[object] = []

    def noted(one: Note, other: object) -> bool:
        compared.append(other)
        return hash(one) == hash(other)

    monkeypatch.setattr(Note, "__eq__", noted)
    harvest, job = Harvest(), Draft("a", "file", 1)
    for line in [*range(1, 1001), *range(1, 1001)]:
        harvest.tell("file", line, "", "x")
        job.tell("", "x", line)

    assert (len(harvest.notes), len(job.notes)) == (1000, 1000)
    assert len(compared) <= 2000


def test_a_name_that_is_taken_has_the_next_number_at_once() -> None:
    names = naming.Names()

    found = [names.take("a") for _ in range(MANY)]

    assert found[:3] == ["a", "a-2", "a-3"]
    assert len(set(found)) == MANY
    assert names.take("a-2") == "a-2-2"


def test_a_job_taken_back_leaves_its_name_and_its_notes() -> None:
    harvest = Harvest()
    job = harvest.job("web", "file", 1)
    job.tell("key", "left out")

    harvest.drop(job)

    assert harvest.job("web", "file", 2).name == "web"
    assert [one.key for one in harvest.notes] == ["key"]
