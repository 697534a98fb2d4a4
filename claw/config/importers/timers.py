"""``[Timer]`` of systemd: when a job begins; see systemd.timer(5)."""

from claw.config.importers import calendar
from claw.config.importers.imported import Draft
from claw.config.importers.systemdkeys import duration
from claw.config.importers.unitfile import Unit, Value, is_true, seconds

_LEFT_OUT = {
    "AccuracySec": "of no need: claw begins at the time",
    "FixedRandomDelay": "of no need: jitter is the same for each time of a host",
    "WakeSystem": "left out: claw wakes nothing up",
    "RemainAfterElapse": "left out: see delete_after_run",
    "OnClockChange": "left out: no job of claw begins then",
    "OnTimezoneChange": "left out: no job of claw begins then",
    "RandomizedOffsetSec": "left out: see jitter",
    "DeferReactivation": "left out: claw has nothing like it",
}


def put(job: Draft, unit: Unit) -> None:
    """Have a job begin when the timer elapses."""
    found = [_calendar(job, value) for value in unit.all("Timer", "OnCalendar")]
    fires = [one for one in found if one is not None]
    schedule = [one.schedule for one in fires if one.schedule] + _intervals(job, unit)
    moments = [one.run_at for one in fires if one.run_at]
    zones = {one.timezone for one in fires}
    if len(zones) > 1:
        job.disable()
        job.tell("OnCalendar", "times of several zones, and a job has one: the job is disabled")
    elif any(zones):
        job.table["timezone"] = zones.pop()
    if schedule:
        job.table["schedule"] = schedule[0] if len(schedule) == 1 else schedule
    elif moments:
        job.table["run_at"] = moments[0]
    else:
        job.disable()
        job.tell("OnCalendar", "no time that claw knows: write a schedule; the job is disabled")
    if len(moments) + bool(schedule) > 1:
        text = f"a job has one moment, or times that come again: {moments[-1]} is left out"
        job.tell("OnCalendar", text)
    _put_others(job, unit, has_calendar=any(not one.startswith("@") for one in schedule))


def _calendar(job: Draft, value: Value) -> calendar.Fires | None:
    try:
        return calendar.parse(value.text)
    except ValueError as error:
        job.disable()
        job.tell(
            "OnCalendar", f"{value.text}: {error}; the job is disabled", value.line, value.file
        )
        return None


def _intervals(job: Draft, unit: Unit) -> list[str]:
    found: list[str] = []
    for key in ("OnUnitActiveSec", "OnUnitInactiveSec"):
        for value in unit.all("Timer", key):
            amount = _seconds(job, key, value)
            if amount is not None and amount >= 1:
                found.append(f"@every {duration(amount)}")
            if amount is not None and key == "OnUnitInactiveSec":
                text = "from start to start, not from the end of one run to the next"
                job.tell(key, text, value.line, value.file)
    return found + _at_boot(job, unit, has_interval=bool(found))


def _at_boot(job: Draft, unit: Unit, *, has_interval: bool) -> list[str]:
    values = [
        (key, value)
        for key in ("OnBootSec", "OnStartupSec", "OnActiveSec")
        for value in unit.all("Timer", key)
    ]
    for key, value in values:
        if has_interval:
            job.tell(
                key, f"{value.text}: left out: the interval goes on over boots", value.line
            )
        elif _seconds(job, key, value):
            text = f"{value.text}: it runs once after each boot, without that wait"
            job.tell(key, text, value.line, value.file)
    return ["@reboot"] if values and not has_interval else []


def _seconds(job: Draft, key: str, value: Value) -> float | None:
    try:
        return seconds(value.text)
    except ValueError as error:
        job.tell(key, f"left out: {error}", value.line, value.file)
        return None


def _put_others(job: Draft, unit: Unit, *, has_calendar: bool) -> None:
    persistent = unit.one("Timer", "Persistent")
    if has_calendar and not (persistent and is_true(persistent.text)):
        job.table["catch_up"] = "none"
    delay = unit.one("Timer", "RandomizedDelaySec")
    amount = _seconds(job, "RandomizedDelaySec", delay) if delay else None
    if amount:
        job.table["jitter"] = duration(amount)
    for key, text in _LEFT_OUT.items():
        value = unit.one("Timer", key)
        if value is not None:
            job.tell(key, text, value.line, value.file)
