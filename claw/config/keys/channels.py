"""The keys of channels and hooks, and those of a job that name a channel."""

import re
from dataclasses import replace

from claw.config import kinds
from claw.config.command import ARGV, COMMAND
from claw.config.environment import REFERRING
from claw.config.keys.probe import URL
from claw.config.kinds import Kind, MistakesError, Step, optional, plain, show, unlike
from claw.config.table import Applies, Field
from claw.model import backoff, hooks
from claw.model.channels import MAX_PENDING, AnnounceMode, ChannelType, WebhookFormat
from claw.model.ids import JOB_NAME

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OWN_HEADERS = frozenset(
    {"content-length", "content-type", "host", "idempotency-key", "transfer-encoding"}
)
_MOST_ATTEMPTS = 1000


def channel_name(value: object) -> str:
    """Return the name of a channel; '': none.

    Raises:
        ValueError: It is no good name.
    """
    if not isinstance(value, str):
        raise unlike("the name of a channel", value)
    if value and not JOB_NAME.fullmatch(value):
        raise ValueError(
            f"{show(value)} is no name for a channel: letters, digits and . _ - only, at most"
            " 64"
        )
    return value


def _headers(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise unlike('a table of texts, like { Authorization = "Bearer ..." },', value)
    wrong: list[tuple[tuple[Step, ...], str]] = []
    for name, text in value.items():
        problem = _header_problem(name, text)
        if problem:
            wrong.append(((name,), problem))
    if wrong:
        raise MistakesError(wrong)
    return tuple(sorted(value.items()))


def _header_problem(name: str, value: object) -> str:
    if not _HEADER.fullmatch(name):
        return f"{show(name)} is no name of a header"
    if name.lower() in _OWN_HEADERS:
        return f"{show(name)} is set by claw itself: remove it"
    try:
        text = REFERRING.parse(value)
        text.encode("ascii")
        if text != text.strip():
            return "a header neither begins nor ends with a blank"
    except UnicodeEncodeError:
        return "a header holds ASCII letters only"
    except ValueError as error:
        return str(error)
    return ""


def _text(value: object) -> str:
    text = kinds.TEXT.parse(value)
    unknown = hooks.unknown_fields(text)
    if unknown:
        known = ", ".join(hooks.FIELDS)
        raise ValueError(f"{{{unknown[0]}}} is not known; in braces may stand: {known}")
    return text


def _pattern(value: object) -> str:
    text = plain(value)
    if not text or any(letter.isspace() for letter in text):
        raise ValueError('a shell-style pattern is expected, like "run.failed" or "job.*"')
    return text


CHANNEL = Kind("name", channel_name, {"type": "string"})
_HEADERS = Kind(
    "table of texts",
    _headers,
    {"type": "object", "additionalProperties": {"type": "string"}},
    refers=True,
)
_ADDRESSES = replace(kinds.list_of(REFERRING, most=20), refers=True)
_TEMPLATE = Kind("text", _text, {"type": "string"})
_PATTERN = Kind("pattern", _pattern, {"type": "string"})
_TRIES = optional(kinds.integer(1, _MOST_ATTEMPTS))


class ChannelKeys:
    """Where messages go that alerts, hooks and deliveries have for people and programs.

    In claw.toml only. See docs/notifications.md.
    """

    type = Field(
        optional(kinds.member_of(ChannelType)),
        None,
        "`command` gives each message to a program, `file` appends it to a file, `webhook`"
        " posts it to a URL, `apprise` hands it to a service that https://appriseit.com knows"
        " (needs the extra: `pip install 'claw[notify]'`).",
        applies=Applies.LIVE,
        shown="by `command`, `argv`, `path`, `url` or `urls`",
    )
    command = Field(
        optional(COMMAND),
        None,
        "`command`: what to run, as the daemon's own user; the message is JSON on its standard"
        " input. It has been taken when this exits with 0.",
        applies=Applies.LIVE,
    )
    argv = Field(
        optional(ARGV),
        None,
        "The same word by word, never through a shell.",
        applies=Applies.LIVE,
    )
    path = Field(
        kinds.LINE,
        "",
        "`file`: its absolute path. Each message is a line of JSON.",
        applies=Applies.LIVE,
    )
    url = Field(
        optional(URL),
        None,
        "`webhook`: where to POST. `{to}` in it stands for whom the message is to.",
        applies=Applies.LIVE,
    )
    urls = Field(
        _ADDRESSES,
        [],
        "`apprise`: its URLs, like `tgram://TOKEN/CHAT`; `{to}` stands for whom the message is"
        " to.",
        applies=Applies.LIVE,
    )
    format = Field(
        kinds.member_of(WebhookFormat),
        "claw",
        "`webhook`: what is posted: the message as JSON, its text as `slack` or `discord` take"
        " it, or as plain `text`.",
        applies=Applies.LIVE,
    )
    headers = Field(
        _HEADERS,
        {},
        "`webhook`: headers to send along.",
        applies=Applies.LIVE,
    )
    timeout = Field(
        kinds.DURATION,
        "30s",
        "How long one try may take; a command is killed then, with all that it started.",
        applies=Applies.LIVE,
        attr="timeout_s",
    )
    preset = Field(
        optional(kinds.one_of(*backoff.PRESETS)),
        None,
        "The ladder of delays after a try that failed, as for `retry`.",
        applies=Applies.LIVE,
        shown="`webhook`: 0 s, 30 s, 5 m, 15 m, 1 h",
    )
    delays = Field(
        optional(kinds.list_of(kinds.DURATION, least=1, most=100)),
        None,
        "A ladder of your own instead; the last delay repeats.",
        applies=Applies.LIVE,
    )
    max_attempts = Field(
        _TRIES,
        None,
        "After so many tries a message is given up: `clawctl delivery retry`.",
        applies=Applies.LIVE,
        shown="one more than the ladder has delays",
    )
    max_pending = Field(
        kinds.integer(1, 1_000_000),
        MAX_PENDING,
        "Of more messages that wait the oldest are dropped; that is counted, and an alert.",
        applies=Applies.LIVE,
    )


class HookKeys:
    """What is told of events, `clawctl events` lists them. In claw.toml only."""

    on = Field(
        kinds.list_of(_PATTERN, least=1, most=100),
        None,
        'Types of events, as shell-style patterns: `["run.failed", "job.*"]`.',
        applies=Applies.LIVE,
        shown="needed",
    )
    command = Field(
        optional(COMMAND),
        None,
        "What to run, as the daemon's own user, with the event as JSON on its standard input;"
        " or `channel`.",
        applies=Applies.LIVE,
    )
    argv = Field(
        optional(ARGV), None, "The same word by word, never through a shell.",
        applies=Applies.LIVE,
    )  # fmt: skip
    channel = Field(CHANNEL, "", "The channel that is told.", applies=Applies.LIVE)
    to = Field(
        kinds.LINE,
        "",
        "Whom the message is to: an alias (`clawctl alias`), or what the channel's `{to}`"
        " stands for.",
        applies=Applies.LIVE,
    )
    jobs = Field(
        kinds.list_of(_PATTERN, most=100),
        [],
        "Only events of these jobs, as shell-style patterns.",
        applies=Applies.LIVE,
    )
    tags = Field(
        kinds.list_of(kinds.TAG),
        [],
        "Only events of jobs that have one of these tags.",
        applies=Applies.LIVE,
    )
    text = Field(
        _TEMPLATE,
        "",
        f"The text for people; in braces may stand: {', '.join(hooks.FIELDS)}.",
        applies=Applies.LIVE,
        shown="what claw says of the event",
    )
    name = Field(
        CHANNEL,
        "",
        "With `command`: what it is called where deliveries are listed, `hook:NAME`.",
        applies=Applies.LIVE,
        shown="after its program",
    )
    timeout = Field(
        optional(kinds.DURATION),
        None,
        "With `command`: as for a channel.",
        applies=Applies.LIVE,
        shown="30s",
    )
    max_attempts = Field(
        _TRIES, None, "With `command`: as for a channel.", applies=Applies.LIVE, shown="6"
    )


class DeliveryKeys:
    """Whom the output of the job's runs is sent to. Not for `continuous` jobs."""

    mode = Field(
        kinds.member_of(AnnounceMode),
        "none",
        "`announce`: of runs that have failed for good, timed out or crashed;"
        " `announce-always`: of every run that has ended, but for those that had nothing to do"
        " (`skip_code`).",
        applies=Applies.LIVE,
    )
    channel = Field(CHANNEL, "", "The channel.", applies=Applies.LIVE)
    to = Field(kinds.LINE, "", "As for a hook.", applies=Applies.LIVE)
