"""What may come next on a command line, by the command table."""

import pytest

from claw.cli.completing import Candidate, candidates
from claw.cli.naming import OWN
from claw.commands.calls_names import NAMED
from claw.commands.grammar import first_words
from claw.commands.kinds import OF_SHELLS
from claw.commands.shapes import JOB_STATES, PRIORITIES
from claw.commands.table import BY_NAME, COMMANDS, FAMILIES

KNOWN = {*NAMED, *OWN, *OF_SHELLS}
THERE = {
    "jobs": ["web", "worker", "report"],
    "targets": ["web", "worker", "report", "all", "tag:"],
    "runs": ["4fj2k9"],
    "open": ["9kdm20"],
    "batches": ["b7c2ma"],
    "tags": ["site"],
    "folders": ["/srv/"],
    "programs": ["make"],
    "files": ["claw.toml"],
    "settings": ["timeout=", "priority="],
}


def _names(kind: str, prefix: str) -> list[tuple[str, str]]:
    return [(name, kind) for name in THERE.get(kind, ()) if name.startswith(prefix)]


def _texts(words: str, current: str = "") -> list[str]:
    return [one.text for one in candidates(words.split(), current, _names)]


def test_a_line_begins_with_a_command_or_the_first_word_of_a_family() -> None:
    offered = [one.text for one in candidates([], "", _names)]

    assert offered == [word for word, _says in first_words()]
    assert {one.split()[0] for one in (command.name for command in COMMANDS)} < set(offered)
    assert len(set(offered)) == len(offered)


def test_commands_that_begin_alike_are_offered_with_what_they_do() -> None:
    assert _texts("", "st") == ["status", "start", "stop"]
    assert [one.says for one in candidates([], "stat", _names)] == ["show how jobs are doing"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_goes_on_with_its_members(family: str) -> None:
    assert [f"{family} {word}" for word in _texts(family)] == [
        command.name for command in COMMANDS if command.name.startswith(f"{family} ")
    ]


@pytest.mark.parametrize(
    ("words", "current", "texts"),
    [
        ("stop", "", ["web", "worker", "report", "all", "tag:"]),
        ("stop", "wo", ["worker"]),
        ("stop web", "", ["worker", "report", "all", "tag:"]),
        ("runs show", "", ["4fj2k9"]),
        ("runs show 4fj2k9", "4", []),
        ("runs logs", "4", ["4fj2k9"]),
        ("ls", "we", ["web"]),
        ("cancel", "", ["web", "worker", "report", "all", "tag:", "9kdm20", "b7c2ma"]),
        ("run report --priority", "", list(PRIORITIES)),
        ("run report", "--priority=h", ["--priority=high"]),
        ("run report", "--prio", ["--priority"]),
        ("run --priority high", "rep", ["report"]),
        ("run --priority=high", "rep", ["report"]),
        ("run --", "", ["make"]),
        ("run -- make", "", ["claw.toml"]),
        ("run -- make --at", "", ["claw.toml"]),
        ("status --state", "pl", ["planned"]),
        ("status", "-", [*(f"--{one}" for one in (
            "verbose", "tag", "type", "state", "text", "watch", "budgets", "json", "help"))]),
        ("status --tag site --json", "--t", ["--type", "--text"]),
        ("run --env A=1", "--en", ["--env"]),
        ("status --tag", "", ["site"]),
        ("status -q", "", []),
        ("scale", "", ["web=", "worker=", "report="]),
        ("job set web", "pri", ["priority="]),
        ("--home /srv --json", "stat", ["status"]),
        ("--home /srv stop", "we", ["web"]),
        ("--home=/srv stop", "we", ["web"]),
        ("--home", "/s", ["/srv/"]),
        ("", "--home=/s", ["--home=/srv/"]),
        ("", "--h", ["--home", "--host", "--help"]),
        ("help", "stat", ["status"]),
        ("help runs", "sh", ["show"]),
        ("nonsense", "", []),
        ("runs nonsense", "", []),
        ("version", "", ["--json", "--help"]),
    ],
)  # fmt: skip
def test_what_may_come_next(words: str, current: str, texts: list[str]) -> None:
    assert _texts(words, current) == texts


def test_only_what_begins_with_the_word_is_offered_whatever_the_names_are() -> None:
    def careless(_kind: str, _prefix: str) -> list[tuple[str, str]]:
        return [("web", ""), ("web", ""), ("other", "")]

    assert [one.text for one in candidates(["stop"], "w", careless)] == ["web"]


def test_states_are_offered_in_the_order_of_the_table() -> None:
    assert _texts("status --state") == list(JOB_STATES)


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_option_of_every_command_is_offered(name: str) -> None:
    flags = [param.flags[-1] for param in BY_NAME[name].params if param.is_option]

    assert set(flags) < set(_texts(name, "--"))


def test_kinds_of_names_are_ones_that_somebody_knows() -> None:
    from_tables = {
        kind
        for command in COMMANDS
        for param in command.params
        if param.kind is not None
        for kind in param.kind.completes
    }

    assert from_tables <= KNOWN
    assert repr(Candidate("a", "b")) == "Candidate('a', 'b')"
