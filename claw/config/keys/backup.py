"""The keys of ``[backup]``."""

import re

from claw.config import kinds
from claw.config.environment import REFERRING
from claw.config.kinds import Kind, show
from claw.config.table import Applies, Field

_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?")


def place(value: object) -> str:
    """Return where backups are kept, as it was written.

    Raises:
        ValueError: It is neither an absolute path nor a bucket's.
    """
    text = kinds.LINE.parse(value).rstrip("/")
    if text.startswith("s3:") and not _S3.fullmatch(text):
        raise ValueError(f"{show(text)} is no place in S3: write s3://BUCKET/PREFIX")
    if text and not text.startswith(("/", "s3:")):
        raise ValueError(f"{show(text)}: an absolute path is needed, or s3://BUCKET/PREFIX")
    return text


def _endpoint(value: object) -> str:
    text = kinds.LINE.parse(value)
    if text and not re.fullmatch(r"https?://[^/\s@]+/?", text):
        raise ValueError(f"{show(text)} is no address: write https://HOST:PORT")
    return text


def _every(value: object) -> float:
    seconds = kinds.DURATION.parse(value)
    if 0 < seconds < 1:
        raise ValueError(f"{show(value)} is too often: a second at least, or 0")
    return seconds


class BackupKeys:
    """Copies of all that claw keeps. In claw.toml only. See docs/backup.md."""

    every = Field(
        Kind(kinds.DURATION.label, _every, kinds.DURATION.schema),
        0,
        "How often one is made, like `15m`; 0: only when somebody asks, by `clawctl backup"
        " create`.",
        applies=Applies.LIVE,
        attr="every_s",
    )
    to = Field(
        Kind("path or s3://BUCKET/PREFIX", place, {"type": "string"}),
        "",
        "Where they are kept: a folder, best on another disk, by its absolute path; or"
        " `s3://BUCKET/PREFIX`, which needs the extra `claw[s3]`.",
        applies=Applies.LIVE,
        shown="state/backup of the home",
    )
    keep = Field(
        kinds.DURATION,
        "7d",
        "One that is older goes; 0: none does. The newest stays in any case.",
        applies=Applies.LIVE,
        attr="keep_s",
    )
    rollup = Field(
        kinds.DURATION,
        "1h",
        "Of those that are older than this only the last of each such span of time stays: the"
        " last of each hour. 0: all stay.",
        applies=Applies.LIVE,
        attr="rollup_s",
    )
    endpoint = Field(
        Kind("URL", _endpoint, {"type": "string"}),
        "",
        "S3: where another server than Amazon's answers, like `https://s3.example.org`.",
        applies=Applies.LIVE,
    )
    region = Field(kinds.LINE, "us-east-1", "S3: its region.", applies=Applies.LIVE)
    access_key = Field(
        REFERRING,
        "",
        "S3: the id of the key to sign with. Empty: as the AWS tools find it (environment of"
        " the daemon, role of the machine).",
        applies=Applies.LIVE,
    )
    secret_key = Field(
        REFERRING,
        "",
        "S3: that key: `${secret:NAME}`.",
        applies=Applies.LIVE,
    )
