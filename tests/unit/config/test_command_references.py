"""What a shell means by ``${NAME:...}`` is left to it; what claw would look up is refused."""

import pytest

from claw.config.command import COMMAND, WORD


@pytest.mark.parametrize(
    "line",
    [
        "echo ${env:-x} ${env:=x} ${env:?is not set} ${env:+x}",
        "echo ${file:-/etc/x} ${file:=/etc/x} ${file:+/etc/x} ${secret:-none}",
        "echo ${file:0:3} ${file: -3} ${env:1} ${credential:2:$n}",
        "echo ${env} ${file} ${environ:x} $env:HOME ${file%%:/*} {env:HOME}",
    ],
)
def test_what_a_shell_expands_is_its_own(line: str) -> None:
    assert COMMAND.parse(line) == line
    assert WORD.parse(line) == line


@pytest.mark.parametrize(
    "written", ["${env:HOME}", "${file:/etc/hostname}", "${credential:db.key}", "${secret:X}"]
)
def test_what_stands_for_a_value_elsewhere_is_refused(written: str) -> None:
    for kind in (COMMAND, WORD):
        with pytest.raises(ValueError, match="give it in env, and write"):
            kind.parse(f"echo a{written}b; true")
