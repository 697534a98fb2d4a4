"""The commands that tell how to use the others; none needs a daemon."""

from __future__ import annotations

from claw.commands import kinds, touching
from claw.commands.command import CONFIGURATION, Command, argument

COMMANDS = (
    Command(
        "completion",
        CONFIGURATION,
        "print the script that completes command lines in a shell",
        verb="manual:completion",
        touches=(touching.NOTHING,),
        params=(argument("shell", kinds.SHELL, "the shell"),),
        detail=(
            "Packages put it where shells look. By hand: bash reads"
            " ~/.local/share/bash-completion/completions/clawctl, or whatever is evaluated in"
            " ~/.bashrc; zsh a file _clawctl in a folder of $fpath; fish"
            " ~/.config/fish/completions/clawctl.fish. Names of jobs, runs and so on are asked"
            " from the daemon, and left out when it is away."
        ),
        examples=(
            (
                "clawctl completion bash > ~/.clawctl.bash",
                "then `. ~/.clawctl.bash` in ~/.bashrc",
            ),
            ("clawctl completion fish > ~/.config/fish/completions/clawctl.fish", "for fish"),
        ),
    ),
    Command(
        "man",
        CONFIGURATION,
        "show a page of the manual",
        verb="manual:man",
        touches=(touching.NOTHING,),
        params=(
            argument("page", kinds.PAGE, "a page or a command", many=True, required=False),
        ),
        detail=(
            "On a terminal as man(1) or mandoc(1) shows it, if one of them is there, else as"
            " plain text. The pages come with claw, wherever they are installed."
        ),
        examples=(
            ("clawctl man", "clawctl(1), with all commands"),
            ("clawctl man runs list", "the page that tells of a command"),
            ("clawctl man claw.toml", "every key of the configuration"),
            ("clawctl man jobs", "claw-jobs(7), the guide"),
        ),
    ),
)
