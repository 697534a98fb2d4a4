"""The invariants of the command table, and that all it names is there."""

import importlib
import re
import shlex
from collections import Counter
from pathlib import Path

import pytest

from claw.cli import dispatch, parser
from claw.commands.command import GROUPS, Command
from claw.commands.methods import METHODS
from claw.commands.table import BY_NAME, COMMANDS, ELSEWHERE, FAMILIES
from claw.errors import UsageError

CLI_TESTS = [Path(__file__).parents[1] / "unit/cli", Path(__file__).parents[1] / "integration"]
SHARED_LETTERS = {"h"}  # help, everywhere

every_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)


def test_names_and_aliases_are_unique() -> None:
    counts = Counter(name for one in COMMANDS for name in (one.name, *one.aliases))

    assert [name for name, count in counts.items() if count > 1] == []


def test_no_name_is_also_a_foreign_one() -> None:
    assert BY_NAME.keys() & ELSEWHERE.keys() == set()


def test_no_command_of_one_word_is_a_family() -> None:
    assert set(FAMILIES) & set(BY_NAME) == set()


@every_command
def test_it_says_what_it_does_in_a_line_without_a_full_stop(command: Command) -> None:
    assert 0 < len(command.summary) <= 60
    assert not command.summary.endswith(".")
    assert command.group in GROUPS


@every_command
def test_its_options_are_unique_and_explained(command: Command) -> None:
    flags = [flag for param in command.params if param.is_option for flag in param.flags]

    assert len(flags) == len(set(flags))
    assert not {"--help", "-h"} & set(flags)
    assert "--json" not in flags or command.name == "job add"  # which takes a file of JSON
    assert all(0 < len(param.help) <= 60 for param in command.params)
    assert all(len(param.short) <= 1 for param in command.params)
    assert not any(param.short in SHARED_LETTERS for param in command.params)


@every_command
def test_what_has_a_value_has_a_kind(command: Command) -> None:
    for param in command.params:
        assert param.is_option or param.kind is not None
        assert param.kind is None or param.metavar


@every_command
def test_its_method_exists(command: Command) -> None:
    assert not command.method or command.method in METHODS


@every_command
def test_its_implementation_exists(command: Command) -> None:
    module, _, function = command.verb.partition(":")

    verb = getattr(importlib.import_module(f"claw.cli.verbs.{module}"), function)

    assert verb.__doc__


@every_command
def test_its_renderer_exists(command: Command) -> None:
    if command.reply:
        assert importlib.import_module(f"claw.cli.render.{command.reply}").render.__doc__


@every_command
def test_it_has_examples_and_they_parse(command: Command) -> None:
    assert command.examples
    for line, says in command.examples:
        words = shlex.split(line.partition(" > ")[0])
        assert words.pop(0) == "clawctl"
        found, rest = dispatch.look_up(words)
        assert found is command
        parser.parse(command, rest)
        assert says


@every_command
def test_it_has_a_help_page_that_tells_all_of_it(command: Command) -> None:
    page = parser.build(command).format_help()

    assert f"clawctl {command.name}" in page
    for param in command.params:
        if param.is_option:
            assert all(flag in page for flag in param.flags)
    for line, _says in command.examples:
        assert line in page


@every_command
def test_it_is_typed_in_a_test(command: Command) -> None:
    texts = [path.read_text() for folder in CLI_TESTS for path in folder.glob("test_*.py")]
    words = r"\"[,\s]+\"".join(re.escape(word) for word in command.name.split())
    typed = re.compile(rf'"{words}"')

    assert any(typed.search(text) for text in texts)


@pytest.mark.parametrize(("word", "ours"), sorted(ELSEWHERE.items()))
def test_verbs_of_other_programs_are_answered_with_ours(word: str, ours: str) -> None:
    with pytest.raises(UsageError) as caught:
        dispatch.look_up([word, "x"])

    assert f"clawctl {ours}" in caught.value.hint
    dispatch.look_up(ours.split())


@pytest.mark.parametrize("word", ["reread", "update", "tail", "avail", "kill", "delete",
                                  "list-units"])  # fmt: skip
def test_the_verbs_that_the_manual_promises_to_answer_are_answered(word: str) -> None:
    assert word in ELSEWHERE
