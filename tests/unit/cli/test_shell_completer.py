from claw.cli.shell.completer import Completer
from claw.model import home

NOWHERE = home.at_folder("/nonexistent/claw")


def offered(text: str, role: str = "admin") -> set[str]:
    return {one.text for one in Completer(NOWHERE, lambda: role).insertions(text)}


def test_commands_are_offered_and_a_word_that_is_whole_ends() -> None:
    assert {"start ", "status ", "stop "} <= offered("st")
    assert offered("clawctl sto") == {"stop "}


def test_what_takes_a_value_goes_on_and_values_are_offered() -> None:
    assert "high " in offered("run web --priority ")
    assert offered("run web --priority=h") == {"--priority=high "}


def test_a_quoted_word_is_replaced_from_its_quote_on() -> None:
    [one] = Completer(NOWHERE, lambda: "admin").insertions("run web --priority 'hi")

    assert (one.text, one.begins) == ("high ", 19)


def test_what_the_role_forbids_is_not_offered() -> None:
    assert "stop " not in offered("st", role="viewer")
    assert "status " in offered("st", role="viewer")
    assert "stop " in offered("st", role="operator")
    assert "set " not in offered("secret s", role="operator")


def test_a_role_that_is_not_known_yet_forbids_nothing() -> None:
    assert "stop " in offered("st", role="")


def test_a_shell_offers_no_shell_and_ways_to_leave() -> None:
    assert "shell " not in offered("she")
    assert "exit " in offered("ex")


def test_of_programs_nothing_is_known() -> None:
    assert offered("!ls ") == set()
