"""What commands touch, and what follows from that."""

import pytest

from claw.cli import dispatch, parser
from claw.commands.table import COMMANDS
from claw.commands.touching import (
    ALONE,
    FILES,
    HERE,
    LINES,
    LOOKS,
    NOTHING,
    STDIN,
    is_kept_from,
    touched,
)


def of(line: str) -> frozenset[str]:
    command, rest = dispatch.look_up(line.split())
    return touched(command, parser.parse(command, rest))


def test_each_command_asks_the_master_or_says_what_it_touches_instead() -> None:
    silent = [
        one.name
        for one in COMMANDS
        if not one.method and not {HERE, LOOKS, NOTHING, ALONE}.intersection(one.touches)
    ]

    assert silent == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("logs web --json", set()),
        ("logs web -f", {LINES}),
        ("events", {LINES}),
        ("events --cursor-file c", {LINES, ALONE, FILES}),
        ("incident web", {FILES}),
        ("incident web -o x.tar.gz", {ALONE, FILES}),
        ("run web", set()),
        ("run web --each -", {STDIN}),
        ("run web --each f", {FILES}),
        ("run -- id", {HERE}),
        ("emit e --data -", {STDIN}),
        ("emit e --data @f", {FILES}),
        ("emit e --data 1", set()),
        ("secret set n", {STDIN}),
        ("config validate", {LOOKS}),
        ("config validate -f x", {NOTHING, FILES}),
    ],
)
def test_what_is_touched_depends_on_the_words(line: str, words: set[str]) -> None:
    assert of(line) == words


@pytest.mark.parametrize(
    "line",
    [
        "incident web", "events --cursor-file c", "run web --each f", "emit e --data @f",
        "config validate -f x", "job add a -- id", "job add a --command id", "run -- id",
        "backup restore x", "backup list --from /x", "job validate f",
        "daemon start", "api hello",
    ],
)  # fmt: skip
def test_files_and_programs_are_not_for_who_is_kept_to_claw(line: str) -> None:
    command, rest = dispatch.look_up(line.split())

    assert is_kept_from(command, parser.parse(command, rest))


def test_what_the_table_says_nothing_of_is_not_for_who_is_kept_to_claw() -> None:
    open_to_all = [one for one in COMMANDS if not is_kept_from(one, {})]

    assert all(one.method or {LOOKS, NOTHING} & {*one.touches} for one in open_to_all)
    assert {"status", "run", "stop", "logs", "man"} <= {one.name for one in open_to_all}
