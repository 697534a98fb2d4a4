"""The commands about secrets."""

from __future__ import annotations

from claw.commands import kinds, touching
from claw.commands.command import CONFIGURATION, Command, argument, flag

_NAME = argument("name", kinds.SECRET, "as in ${secret:NAME}")

COMMANDS = (
    Command(
        "secret set",
        CONFIGURATION,
        "keep a value, which env, URLs and headers refer to",
        verb="secrets:set_",
        touches=(touching.STDIN,),
        reply="secret",
        method="secret.set",
        params=(_NAME, flag("restart", "restart the services that have an older value")),
        detail=(
            "The value is asked for twice on the terminal, or is all of standard input but a"
            " final newline; it is never an argument. What is started from then on gets it; a"
            " running service gets it when its process is next started."
        ),
        examples=(
            ("clawctl secret set WEB_TOKEN", "asks for it"),
            (
                "clawctl secret set DB_PASSWORD --restart",
                "and roll it out at once",
            ),
        ),
    ),
    Command(
        "secret get",
        CONFIGURATION,
        "print a secret",
        verb="secrets:get",
        method="secret.get",
        params=(_NAME,),
        detail="It is in audit.log that it was asked for, and by whom.",
        examples=(("clawctl secret get WEB_TOKEN", "on standard output"),),
    ),
    Command(
        "secret list",
        CONFIGURATION,
        "list the secrets, and who still has an older value",
        verb="secrets:list_",
        reply="secrets",
        method="secret.list",
        examples=(("clawctl secret list", "names, never values"),),
    ),
    Command(
        "secret delete",
        CONFIGURATION,
        "forget a secret",
        verb="secrets:delete",
        reply="secret",
        method="secret.delete",
        params=(_NAME, flag("force", "although something refers to it")),
        examples=(("clawctl secret delete OLD_TOKEN", "once nothing uses it"),),
    ),
)
