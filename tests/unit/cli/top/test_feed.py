"""What the master is asked while it is looked at, and how often."""

from typing import Any

import pytest

from claw.cli.top import news
from claw.cli.top.feed import _Asking
from claw.client.connection import LostConnectionError
from claw.errors import ClawError, NotFoundError
from claw.wire.control import Notification

Json = dict[str, Any]


class Answers:
    """A connection on which all is answered at once, and what was asked is kept."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Json]] = []
        self.told: list[Notification] = []
        self.jobs = [{"name": name, "job": name} for name in ("a", "b", "c")]
        self.refusals: dict[str, ClawError] = {}

    def ask(self, method: str, params: Json) -> Json:
        self.asked.append((method, params))
        if method in self.refusals:
            raise self.refusals[method]
        wanted = params.get("targets") or [job["name"] for job in self.jobs]
        jobs = [job for job in self.jobs if job["name"] in wanted]
        return {"jobs": jobs, "runs": [], "alerts": [], "lines": [], "next": None}

    def next_message(self, _patience_s: float) -> Notification | None:
        return self.told.pop(0) if self.told else None

    def event(self, kind: str, job: str | None = None, run: str | None = None) -> None:
        self.told.append(Notification("event", {"type": kind, "job": job, "run": run}))

    def taken(self, method: str) -> list[Json]:
        """Return the parameters of the calls of a method so far, and begin anew."""
        found = [params for name, params in self.asked if name == method]
        self.asked = [pair for pair in self.asked if pair[0] != method]
        return found


@pytest.fixture(name="answers")
def _answers() -> Answers:
    return Answers()


@pytest.fixture(name="heard")
def _heard() -> list[news.News]:
    return []


@pytest.fixture(name="asking")
def _asking(answers: Answers, heard: list[news.News]) -> _Asking:
    asking = _Asking(answers, heard.append, lambda _at: None)  # type: ignore[arg-type]
    asking.begin()
    return asking


def targets(calls: list[Json]) -> list[list[str]]:
    return [call["targets"] for call in calls if "targets" in call]


def test_all_jobs_are_asked_for_first_and_without_what_takes_long(
    asking: _Asking, answers: Answers
) -> None:
    asking.ask(news.Wishes())

    assert answers.taken("job.status")[0] == {}


def test_then_only_those_in_sight_are(asking: _Asking, answers: Answers) -> None:
    asking.ask(news.Wishes())
    answers.taken("job.status")

    asking.ask(news.Wishes(names=("b",)))

    assert targets(answers.taken("job.status")) == [["b"]]


def test_those_of_which_an_event_tells_are_asked_for_as_well(
    asking: _Asking, answers: Answers
) -> None:
    asking.ask(news.Wishes())
    answers.event("run.succeeded", "c", "r1")
    answers.event("run.queued", "of-another-kind", "r2")
    answers.taken("job.status")

    asking.hear()
    asking.ask(news.Wishes(names=("b",)))

    assert targets(answers.taken("job.status")) == [["b", "c"]]


def test_after_many_events_all_are_asked_for_once(asking: _Asking, answers: Answers) -> None:
    answers.jobs = [{"name": f"j{at}", "job": f"j{at}"} for at in range(500)]
    asking.ask(news.Wishes())
    for job in answers.jobs:
        answers.event("run.queued", job["name"], "r")

    asking.hear()
    answers.taken("job.status")
    asking.ask(news.Wishes(names=("j7",)))

    assert targets(answers.taken("job.status")) == [["j7"]]


def test_what_no_tab_shows_is_not_asked_for(asking: _Asking, answers: Answers) -> None:
    asking.ask(news.Wishes())
    assert answers.taken("run.list") == answers.taken("job.list") == []

    asking.ask(news.Wishes(tab="runs", runs_of="a", runs=400))
    assert answers.taken("run.list") == [{"job": "a", "limit": 400}]
    asking.ask(news.Wishes(tab="config"))
    assert answers.taken("job.list") == [{}]


def test_a_refusal_of_a_detail_is_shown_in_its_place(
    asking: _Asking, answers: Answers, heard: list[news.News]
) -> None:
    answers.refusals["run.show"] = NotFoundError("there is no such run", hint="look")

    asking.ask(news.Wishes(about=("run", "r1")))

    assert news.Detail(("run", "r1"), {"error": "there is no such run: look"}) in heard


def test_a_master_that_goes_is_no_refusal(asking: _Asking, answers: Answers) -> None:
    answers.refusals["job.status"] = LostConnectionError("gone")

    with pytest.raises(LostConnectionError):
        asking.ask(news.Wishes())


def test_when_asked_to_refresh_everything_is_asked_for_anew(
    asking: _Asking, answers: Answers
) -> None:
    asking.ask(news.Wishes())
    answers.taken("job.status")

    asking.ask(news.Wishes(again=1))

    assert answers.taken("job.status")[0] == {"verbose": True}
