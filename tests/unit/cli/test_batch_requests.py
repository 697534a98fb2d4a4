"""The requests in which ``run --each`` hands in its lines."""

import pytest

from claw.cli.verbs.batch import parts_of
from claw.commands import methods
from claw.commands.calls_batches import PER_REQUEST
from claw.errors import UsageError


def test_a_request_has_only_so_many_runs_and_the_master_takes_no_more() -> None:
    runs = [{"args": [str(no)]} for no in range(2 * PER_REQUEST + 1)]
    parts = parts_of(runs)
    assert [len(part) for part in parts] == [PER_REQUEST, PER_REQUEST, 1]
    assert [run for part in parts for run in part] == runs

    methods.validate("run.submit_batch", {"job": "a", "runs": runs[:PER_REQUEST]})
    with pytest.raises(UsageError, match="runs"):
        methods.validate("run.submit_batch", {"job": "a", "runs": runs[: PER_REQUEST + 1]})


def test_what_all_have_in_common_counts_in_each_request() -> None:
    runs = [{"args": ["x" * 800_000]}]
    assert parts_of(runs) == [runs]
    with pytest.raises(UsageError, match="beside 200000 of --env"):
        parts_of(runs, 200_000)
