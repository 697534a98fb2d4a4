"""Whatever goes wrong with a command ends in one line that says what to do, and its status.

The cases are made of the command table: a command that joins it is tried by that.
"""

import importlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.commands.command import Command, Param
from claw.commands.method import VIEWER
from claw.commands.methods import METHODS
from claw.commands.table import BY_NAME, COMMANDS
from tests.kit import users
from tests.kit.errorpaths import (
    GIVEN,
    Ended,
    bad_value,
    is_named,
    least,
    no_such,
    typed,
    with_value,
)
from tests.kit.master import MasterUnderTest, master

USAGE, NOT_FOUND, FORBIDDEN, UNREACHABLE = 2, 4, 5, 7
CONFIG = f"""
[control.roles]
viewer = {{ users = ["{users.NOBODY}"] }}
[jobs.one]
command = "true"
[channels.chat]
command = "cat"
[workflows.flow]
steps = {{ one = {{ job = "one" }} }}
"""

WITHOUT_A_DAEMON = {
    "daemon start": None,  # it is what starts one
    "daemon restart": None,  # and so does this
    "doctor": 1,
    "backup create": 4,  # there is nothing yet
    "backup list": 0,
    "backup prune": 0,
    "daemon status": 3,
    "daemon stop": 0,
    "top": 2,  # not on a terminal, here
}
"""How those end that need no daemon, or look at something else before."""


def name_of(value: object) -> str:
    """Name a case by its command and parameter."""
    return value.name.replace(" ", "-") if isinstance(value, Command | Param) else str(value)


@pytest.fixture(scope="module")
def claw() -> Iterator[MasterUnderTest]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with master(Path(folder) / "home", CONFIG) as found:
            (Path(folder) / "home").chmod(0o755)
            yield found


@pytest.mark.parametrize("command", COMMANDS, ids=name_of)
def test_without_a_daemon_a_command_works_or_says_how_to_start_one(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = WITHOUT_A_DAEMON.get(command.name, UNREACHABLE if command.method else -1)
    if wanted is None:
        return

    given = GIVEN.get(command.name, "")

    ended = typed(str(tmp_path / "home"), least(command), given)

    if wanted in (USAGE, NOT_FOUND, UNREACHABLE):
        ended.assert_refused(wanted)
        assert wanted != UNREACHABLE or "clawctl daemon start" in ended.err, ended
    elif wanted >= 0:
        assert ended.status == wanted, ended
    else:
        assert ended.status != UNREACHABLE, ended


NAMED = [
    (command, param)
    for command in COMMANDS
    for param in command.params
    if is_named(command, param)
]


@pytest.mark.parametrize(("command", "param"), NAMED, ids=name_of)
def test_what_is_not_there_is_told_in_one_line(
    command: Command, param: Param, claw: MasterUnderTest
) -> None:
    typed(str(claw.folder), with_value(command, param, no_such(param))).assert_refused(
        NOT_FOUND
    )


BAD = [
    (command, param, value)
    for command in COMMANDS
    for param in command.params
    if param.kind is not None and (value := bad_value(param)) is not None
]


@pytest.mark.parametrize(
    ("command", "param", "value"), BAD, ids=lambda value: name_of(value)[:20]
)
def test_a_wrong_value_is_told_in_one_line(
    command: Command, param: Param, value: str, claw: MasterUnderTest
) -> None:
    typed(str(claw.folder), with_value(command, param, value)).assert_refused(USAGE)


@pytest.mark.parametrize("command", COMMANDS, ids=name_of)
def test_an_option_that_is_not_there_is_told_in_one_line(
    command: Command, claw: MasterUnderTest
) -> None:
    words = [*command.name.split(), "--no-such-option"]

    typed(str(claw.folder), words).assert_refused(USAGE)


@pytest.mark.parametrize(
    "command",
    [one for one in COMMANDS if any(p.is_required for p in one.params)],
    ids=name_of,
)
def test_a_missing_argument_is_told_in_one_line(
    command: Command, claw: MasterUnderTest
) -> None:
    typed(str(claw.folder), command.name.split()).assert_refused(USAGE)


LOOKS_FIRST = {"job edit", "workflow cancel"}
"""An editor has to change something, or there must be something to end."""
FOR_OTHERS = [
    one
    for one in COMMANDS
    if one.method and METHODS[one.method].role != VIEWER and one.name not in LOOKS_FIRST
]


@pytest.mark.root
@pytest.mark.skipif(bool(users.why_alone()), reason=users.why_alone() or "-")
@pytest.mark.parametrize("command", FOR_OTHERS, ids=name_of)
def test_who_may_not_is_told_in_one_line(command: Command, claw: MasterUnderTest) -> None:
    typed_by_viewer(claw, command).assert_refused(FORBIDDEN)


def typed_by_viewer(claw: MasterUnderTest, command: Command) -> Ended:
    """Type a command line as another user, as whom the kernel knows the connection."""
    importlib.import_module(f"claw.cli.verbs.{command.verb.partition(':')[0]}")  # while it may
    os.seteuid(users.NOBODY)
    try:
        return typed(str(claw.folder), least(command), GIVEN.get(command.name, ""))
    finally:
        os.seteuid(0)


def test_the_cases_reach_every_command() -> None:
    assert {one.name for one in COMMANDS} <= set(BY_NAME)
    assert len(NAMED) > 50
    assert len(BAD) > 50
    assert len(FOR_OTHERS) > 30
