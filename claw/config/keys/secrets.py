"""The keys of ``[secrets]``."""

from claw.config import kinds
from claw.config.kinds import Kind, show
from claw.config.table import Applies, Field
from claw.model.secrets import Backend


def _key_file(value: object) -> str:
    text = kinds.LINE.parse(value)
    if text and not text.startswith("/"):
        raise ValueError(f"{show(text)}: it has to be an absolute path")
    return text


_PATH = Kind("path", _key_file, {"type": "string"})


class SecretsKeys:
    """How claw's own secrets are kept (`clawctl secret`). In claw.toml only.

    See docs/secrets.md.
    """

    backend = Field(
        kinds.member_of(Backend),
        "auto",
        "Where new values go: the system's `keyring`; a `file` of claw's own, sealed; `auto`:"
        " where others are, else the keyring if there is one and no key is given, else the"
        " file.",
        applies=Applies.LIVE,
    )
    key_file = Field(
        _PATH,
        "",
        "`file`: what it is sealed with: a file of mode 0600, absolute path, with anything in"
        " it that nobody can guess. The systemd credential `claw.key` goes before it.",
        applies=Applies.LIVE,
        shown="a passphrase if one was given, else state/secrets.key, made when first needed",
    )
