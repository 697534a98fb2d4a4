"""One line of a crontab: what it is, and when it fires in claw's words.

See crontab(5) of cronie, Debian's (Vixie) cron, OpenBSD, FreeBSD and busybox, whose grammars
all are taken.
"""

import re
from dataclasses import dataclass

from claw.config.kinds import DURATION
from claw.config.when import schedule_problem
from claw.model.units import format_duration
from claw.schedule.cron import MACROS

_SETTING = re.compile(
    r"""\s*(?:(["'])(?P<quoted>.+?)\1|(?P<name>[^\s="']+))\s*=\s*(?P<value>.*)$"""
)
_FIELD = re.compile(r"[A-Za-z?,/#-]*[0-9*~][0-9A-Za-z*?~,/#-]*|[A-Za-z]{3}(?:[-,][A-Za-z]{3})*")
_RANDOM = re.compile(r"(\d*)~(\d*)(?:/(\d+))?")
_LAST_MINUTE, _LAST_HOUR = 59, 23
_FIELDS = 5
_SHORT = {
    "@every_minute": "* * * * *",
    "@every_second": "* * * * * *",
    "@minutely": "* * * * *",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """``NAME = value``."""

    line: int
    name: str
    value: str


@dataclass(slots=True)
class Entry:
    """A time and a command.

    Attributes:
        line: Where it stands.
        times: The words that say when.
        rest: What follows them: a user perhaps, and the command.
        is_quiet: The line begins with a dash: cronie does not log it.
    """

    line: int
    times: str
    rest: str
    is_quiet: bool = False


@dataclass(frozen=True, slots=True)
class Times:
    """When an entry fires, in claw's words."""

    schedule: str
    jitter_s: float = 0.0
    remark: str = ""


def read(line: int, text: str) -> Setting | Entry | None:
    """Return what a line is; None when it is neither a setting nor an entry."""
    bare = text.strip()
    setting = _SETTING.fullmatch(bare)
    if setting and not bare.startswith("@") and not _is_entry(bare):
        name = setting["quoted"] or setting["name"]
        return Setting(line, name, _unquoted(setting["value"].strip()))
    is_quiet = bare.startswith("-")
    return _entry(line, bare.removeprefix("-"), is_quiet=is_quiet)


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


def _is_entry(text: str) -> bool:
    words = text.split(maxsplit=_FIELDS)
    return len(words) > _FIELDS and all(_FIELD.fullmatch(one) for one in words[:_FIELDS])


def _entry(line: int, text: str, *, is_quiet: bool) -> Entry | None:
    if text.startswith("@"):
        word, _, rest = text.partition(" ") if " " in text else text.partition("\t")
        if "\t" in word:
            word, _, more = text.partition("\t")
            rest = more
        if word == "@every":
            period, _, rest = rest.strip().partition(" ")
            word = f"{word} {period}"
        return Entry(line, word, rest.strip(), is_quiet)
    words = re.split(r"\s+", text, maxsplit=_FIELDS)
    if len(words) <= _FIELDS or not all(_FIELD.fullmatch(one) for one in words[:_FIELDS]):
        return None
    times, rest = words[:_FIELDS], words[_FIELDS]
    sixth, _, more = rest.partition(" ")
    if more and re.fullmatch(r"[\d*,/-]+", sixth):  # no command is called so
        times, rest = [*times, sixth], more.strip()
    return Entry(line, " ".join(times), rest, is_quiet)


def times_of(text: str) -> Times:
    """Return when an entry fires.

    Raises:
        ValueError: claw has no way to say it; tells why.
    """
    if text.startswith("@"):
        return _of_word(text)
    words = text.split(" ")
    found = _without_random(words) if any("~" in word for word in words) else Times(text)
    problem = schedule_problem(found.schedule, "UTC")
    if problem:
        raise ValueError(problem)
    return found


def _of_word(text: str) -> Times:
    word = text.lower()
    if word in MACROS or word == "@reboot":
        return Times(word)
    if word in _SHORT:
        return Times(_SHORT[word])
    if word.startswith("@every "):
        return _of_interval(text.partition(" ")[2])
    if word[1:].isdigit():
        found = _of_interval(f"{word[1:]}s")
        return Times(
            found.schedule,
            remark="FreeBSD counts from a run's end, claw from start to start",
        )
    raise ValueError(f"{text} is not known")


def _of_interval(text: str) -> Times:
    seconds = DURATION.parse(text)
    found = f"@every {format_duration(seconds)}"
    if DURATION.parse(format_duration(seconds)) != seconds:
        found = f"@every {seconds:g}s"
    problem = schedule_problem(found, "UTC")
    if problem:
        raise ValueError(problem)
    return Times(found)


def _without_random(words: list[str]) -> Times:
    """Return the earliest of times that cron would draw, with jitter up to the latest.

    Raises:
        ValueError: It is drawn on which day.
    """
    if any("~" in word for word in words[2:]) or len(words) > _FIELDS:
        raise ValueError("a day drawn at random: write the day that you want")
    jitter_s, fixed = 0.0, list(words)
    for index, (most, unit_s) in enumerate(((_LAST_MINUTE, 60), (_LAST_HOUR, 3600))):
        if "~" not in words[index]:
            continue
        drawn = _RANDOM.fullmatch(words[index])
        if drawn is None or drawn[3]:
            raise ValueError(f"{words[index]}: nothing else can stand beside a range at random")
        low, high = int(drawn[1] or 0), int(drawn[2] or most)
        if high > most:
            raise ValueError(f"{words[index]}: there is no {high} in this field")
        if low > high:
            raise ValueError(f"{words[index]}: the range ends before it begins")
        fixed[index] = str(low)
        jitter_s += (high - low) * unit_s
    remark = "cron draws one time when it loads the file; jitter has one for each host and day"
    return Times(" ".join(fixed), jitter_s, remark)
