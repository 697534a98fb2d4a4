"""Definitions that are stored with what begins by them."""

import json
from pathlib import Path

from claw.config.load import load
from claw.model.job import Job
from claw.model.stored import known_again, plain

_EVERYTHING = Path(__file__).parents[1] / "cli" / "everything.toml"


def test_a_job_with_any_key_comes_back_as_it_was_stored() -> None:
    jobs = load(str(_EVERYTHING)).jobs
    assert any(job.step_of for job in jobs)
    for job in jobs:
        assert known_again(Job, json.loads(json.dumps(plain(job)))) == job
