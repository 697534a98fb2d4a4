import pytest

from claw.commands import methods
from claw.commands.method import Method
from claw.errors import UnknownMethodError, UsageError


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("hello", {"protocol": [1, 1], "client": "test"}),
        ("job.status", {}),
        ("job.status", {"targets": ["web"], "verbose": True}),
        ("job.start", {"targets": ["web", "tag:x"], "request_id": "abc"}),
        ("run.submit", {"job": "web", "env": {"A": "1"}, "args": ["x"], "delay_s": 1.5}),
        ("run.submit", {"job": "web", "at": "2026-12-24T09:00:00+00:00"}),
        ("alert.ack", {"targets": ["7", "web"]}),
        ("event.subscribe", {"from": 0, "filter": {"job": "web"}}),
    ],
)
def test_good_parameters_come_back(name: str, params: dict[str, object]) -> None:
    assert methods.validate(name, params) is params


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("job.start", {}),
        ("job.start", {"targets": []}),
        ("job.start", {"targets": "web"}),
        ("job.start", {"target": ["web"]}),
        ("job.signal", {"targets": ["web"]}),
        ("run.submit", {"job": "web", "delay_s": float("inf")}),
        ("run.submit", {"job": "web", "delay_s": -1}),
        ("run.wait", {"target": "web", "for": "tea"}),
        ("rpc.discover", {"x": 1}),
        ("daemon.stop", {"mode": "now"}),
    ],
)
def test_bad_parameters_are_refused(name: str, params: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        methods.validate(name, params)


def test_an_unknown_method_brings_the_nearest_known_one() -> None:
    with pytest.raises(UnknownMethodError) as caught:
        methods.validate("job.stats", {})

    assert caught.value.hint == "did you mean 'job.status'?"


def test_an_unknown_parameter_brings_the_nearest_known_one() -> None:
    with pytest.raises(UsageError) as caught:
        methods.validate("job.start", {"targets": ["web"], "forced": True})

    assert caught.value.hint == "did you mean 'force'?"


@pytest.mark.parametrize("method", methods.METHODS.values(), ids=list(methods.METHODS))
def test_every_method_is_told_in_one_line(method: Method) -> None:
    assert method.name.count(".") == 1 or method.name == "hello"
    assert 0 < len(method.summary) <= 60
    assert not method.summary.endswith(".")
    assert set(method.params.get("required", ())) <= set(method.params["properties"])


def test_only_what_changes_something_asks_for_more_than_a_viewer() -> None:
    # Of an attachment, which is itself on record; for those who may add what is looked at;
    # names that would tell what there is to steal; any folder that the daemon can read.
    others = {"job.type", "job.resize", "job.validate", "secret.list", "backup.list"}
    for method in methods.METHODS.values():
        asks_for_more = method.role != "viewer" and method.name not in others
        assert method.is_mutating == asks_for_more, method.name


def test_what_changes_something_is_repeatable_except_what_is_of_one_connection() -> None:
    once = [m.name for m in methods.METHODS.values() if m.is_mutating and not m.is_repeatable]

    of_secrets = ["secret.set", "secret.get", "secret.delete"]  # no hash of them is kept either
    of_backups = ["backup.create", "backup.prune"]  # one more harms nobody
    assert once == ["job.attach", "daemon.stop", *of_secrets, *of_backups]


def test_discover_lists_every_method_with_its_schemas() -> None:
    listed = methods.discover()["methods"]

    assert [one["name"] for one in listed] == list(methods.METHODS)
    assert all(one["params"]["type"] == "object" for one in listed)
