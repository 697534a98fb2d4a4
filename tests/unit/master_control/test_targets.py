"""What the targets of a request mean."""

import re

import pytest

from claw.errors import ConflictError, NotFoundError, UsageError
from claw.master.control import targets
from claw.master.control.targets import Aim, Chosen
from claw.model.job import Config
from tests.kit.desk import Desk, job, service

JOBS = (
    job("etl-load", tags=("nightly",)),
    job("etl-clean", tags=("nightly", "light")),
    job("web"),
)
CONFIG = Config(jobs=JOBS)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (["web"], ["web"]),
        (["all"], ["etl-load", "etl-clean", "web"]),
        (["etl-*"], ["etl-load", "etl-clean"]),
        (["e*[dn]", "w?b"], ["etl-load", "etl-clean", "web"]),
        (["tag:light"], ["etl-clean"]),
        (["web", "tag:nightly", "web", "all"], ["web", "etl-load", "etl-clean"]),
    ],
)
def test_targets_mean_jobs_each_once_in_the_order_asked(
    wanted: list[str], names: list[str]
) -> None:
    assert list(targets.choose_jobs(CONFIG, wanted)) == names


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [("wbe", "did you mean 'web'?"), ("tag:nightli", "did you mean 'tag:nightly'?")],
)
def test_what_means_nothing_is_an_error_with_the_nearest_name(wanted: str, hint: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        targets.choose_jobs(CONFIG, ["web", wanted])

    assert caught.value.hint == hint


def test_a_pattern_that_fits_nothing_is_an_error_and_all_of_nothing_is_not() -> None:
    with pytest.raises(NotFoundError):
        targets.choose_jobs(CONFIG, ["db-*"])
    assert targets.choose_jobs(Config(), ["all"]) == ()


def test_too_many_targets_are_refused() -> None:
    with pytest.raises(UsageError):
        targets.choose_jobs(CONFIG, ["web"] * (targets.MAX_TARGETS + 1))
    with pytest.raises(UsageError):
        targets.choose_jobs(CONFIG, ["*"] * (targets.MAX_PATTERNS + 1))


def test_a_run_is_named_by_the_end_or_the_beginning_of_its_id() -> None:
    desk = Desk(*JOBS)
    run = desk.ask("web")

    def chosen(*wanted: str) -> Chosen:
        return desk.database.view(lambda tx: targets.choose(tx, CONFIG, wanted))

    for name in (run.id, run.id[-6:], run.id[-9:].upper(), run.id[:20]):
        assert chosen(name) == Chosen((), (run,))
    assert chosen("tag:light", run.id[-6:]) == Chosen((Aim("etl-clean"),), (run,))
    for name in (run.id[-5:], "r" + "0" * 26, "abcdef"):
        with pytest.raises(NotFoundError):
            chosen(name)


def test_a_text_that_is_several_runs_names_none() -> None:
    desk = Desk(*JOBS)
    runs = [desk.ask("web") for _ in range(2)]
    common = runs[0].id[:8]
    assert runs[1].id.startswith(common)

    with pytest.raises(ConflictError):
        desk.database.view(lambda tx: targets.find_run(tx, common))


def test_a_jobs_name_goes_before_a_runs_id() -> None:
    desk = Desk(*JOBS)
    run = desk.ask("web")
    config = Config(jobs=(*JOBS, job(run.id[-6:])))

    found = desk.database.view(lambda tx: targets.choose_one(tx, config, run.id[-6:]))

    assert found == Aim(run.id[-6:])


def test_instances_are_named_one_by_one_by_patterns_and_as_a_whole() -> None:
    desk = Desk(service("web", instances=3), service("db"), job("etl"))

    def aims(*wanted: str) -> list[str]:
        chosen = desk.database.view(lambda tx: targets.choose_aims(tx, desk.config, wanted))
        return [aim.label for aim in chosen]

    assert aims("web@2") == ["web@2"]
    assert aims("web@[13]", "etl") == ["web@1", "web@3", "etl"]
    assert aims("web@2", "web") == ["web"]
    assert aims("*") == ["web", "db", "etl"]
    one = desk.database.view(lambda tx: targets.choose_one(tx, desk.config, "web@3"))
    assert one == Aim("web", 3)


@pytest.mark.parametrize(
    ("wanted", "why", "hint"),
    [
        ("web@4", "has no instance 4", "they are web@1 to web@3"),
        ("db@1", "has no instances", "its name: db"),
        ("etl@1", "has no instances", "its name: etl"),
        ("wbe@1", "no job or run 'wbe@1'", None),
        ("web@0", "no job or run 'web@0'", None),
    ],
)
def test_an_instance_that_is_not_there_is_an_error(
    wanted: str, why: str, hint: str | None
) -> None:
    desk = Desk(service("web", instances=3), service("db"), job("etl"))

    with pytest.raises(NotFoundError, match=re.escape(why)) as caught:
        desk.database.view(lambda tx: targets.choose_one(tx, desk.config, wanted))

    assert hint is None or caught.value.hint == hint
