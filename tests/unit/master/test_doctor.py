"""What ``doctor`` finds in a home that is as it should be, and in one that is not."""

import json
import os
import resource
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from claw.kernel import files
from claw.master.configuration import Configuration
from claw.master.control.audit import AuditLog, Entry
from claw.master.doctor import machine, records, registry
from claw.master.doctor.case import Case, Known
from claw.model import home as homes
from claw.model.alerts import BACKUP, DELIVERY, Alert, AlertKind
from claw.model.backups import Standing
from claw.model.finding import Finding, Level, good
from claw.store.damage import open_or_rebuild

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KNOWN = Known(
    pid=1, started_at=NOW, version="0.1.0", is_changed=False, trouble=None, fork_server_pid=2,
    supervisors=[("s1", "web", "0.1.0")], silent=(), strange=(), open_runs=frozenset(),
    secrets=(), alerts=(), log_total=2 << 30, backups=Standing(), metrics_trouble=None,
)  # fmt: skip


@pytest.fixture(name="case")
def _case(tmp_path: Path) -> Case:
    """Return a home that is as it should be, with a daemon."""
    home = homes.at_folder(str(tmp_path / "home"))
    for folder in (home.config, home.state, home.run, home.log, home.spool, home.launches):
        files.make_folder(folder, 0o700)
    Path(home.config, "claw.toml").write_text('[jobs.web]\ncommand = "true"\n')
    open_or_rebuild(home.database, NOW).database.close()
    Path(home.control_socket).touch(0o600)
    configuration = Configuration(home.config)
    configuration.current = configuration.load()
    return Case(home=home, configuration=configuration, now=NOW, known=KNOWN)


def found(case: Case, check: str) -> list[Finding]:
    """Return what one check finds."""
    return [one for one in registry.look(case) if one.check == check]


def only(case: Case, check: str, level: Level) -> Finding:
    """Return the one finding of a check at a level."""
    [one] = [one for one in found(case, check) if one.level is level]
    return one


def test_a_home_that_is_as_it_should_be_has_no_failure(case: Case) -> None:
    said = registry.look(case)

    assert [one for one in said if one.level is Level.FAIL] == []
    assert {one.check for one in said} == set(registry.CHECKS)
    assert registry.shown(said)["ok"] is True


def test_without_a_daemon_what_can_be_seen_is_looked_at(case: Case) -> None:
    alone = replace(case, known=None)

    assert only(alone, "daemon", Level.FAIL).fix.startswith("clawctl daemon start")
    assert only(alone, "supervisors", Level.SKIP).text == "no daemon runs"
    assert found(alone, "database")[0].level is Level.PASS
    assert registry.shown(registry.look(alone))["ok"] is False


def test_whatever_is_wrong_comes_with_what_to_do(case: Case) -> None:
    Path(case.home.state).chmod(0o777)
    Path(case.home.config, "claw.toml").write_text("[jobs.web]\ncomand = 'x'\n")
    known = replace(KNOWN, silent=["web"], trouble="disk full", fork_server_pid=None)
    said = registry.look(replace(case, known=known))

    wrong = [one for one in said if one.level in {Level.FAIL, Level.WARN}]
    assert {"folders", "configuration", "supervisors", "database", "fork server"} <= {
        one.check for one in wrong
    }
    assert all(one.fix for one in wrong)


@pytest.mark.parametrize(
    ("mode", "level"), [(0o777, Level.FAIL), (0o755, Level.WARN), (0o700, Level.PASS)]
)
def test_a_folder_of_state_is_for_the_daemon_alone(case: Case, mode: int, level: Level) -> None:
    Path(case.home.state).chmod(mode)

    assert found(case, "folders")[0].level is level


def test_a_missing_folder_is_told(case: Case) -> None:
    Path(case.home.run, "control.sock").unlink()
    Path(case.home.run).rmdir()

    assert case.home.run in only(case, "folders", Level.FAIL).text
    assert only(case, "socket", Level.FAIL).text.endswith("No such file or directory")


def test_the_first_mistake_of_a_configuration_is_told_with_its_line(case: Case) -> None:
    Path(case.home.config, "claw.toml").write_text(
        '[jobs.web]\ncommand = "true"\nnicee = 1\nnice = "x"\n'
    )

    text = only(case, "configuration", Level.FAIL).text
    assert text.startswith("2 mistakes, the first: ")
    assert text.endswith("claw.toml:3"), "no word of the file, which may be a secret"


def test_files_that_are_not_loaded_are_told(case: Case) -> None:
    changed = replace(case, known=replace(KNOWN, is_changed=True))

    assert "clawctl plan" in only(changed, "configuration", Level.WARN).fix


def test_a_damaged_database_is_told(case: Case) -> None:
    path = Path(case.home.database)
    data = path.read_bytes()
    path.write_bytes(data[:4096] + os.urandom(len(data) - 4096))

    assert "damaged" in only(case, "database", Level.FAIL).text


def test_a_database_that_was_set_aside_is_told(case: Case) -> None:
    Path(f"{case.home.database}.damaged-20261121T000000Z").touch()

    assert "set aside" in only(case, "database", Level.WARN).text


def test_a_changed_line_of_the_audit_log_is_told(case: Case) -> None:
    log = AuditLog(case.home.audit_log)
    who = {"uid": 0, "user": "root", "role": "admin", "params": {}, "outcome": "ok"}
    for number in range(3):
        log.append(Entry(at=NOW, pid=number, method="job.stop", **who))  # type: ignore[arg-type]
    log.close()
    assert found(case, "audit log") == [
        Finding(Level.PASS, "each line follows the one before it", check="audit log")
    ]
    path = Path(case.home.audit_log)
    first, second, third = path.read_text().splitlines()
    second = json.dumps({**json.loads(second), "uid": 1000})
    path.write_text(f"{first}\n{second}\n{third}\n")

    assert "line 3" in only(case, "audit log", Level.FAIL).text


def test_supervisors_that_go_on_without_a_daemon_are_told(case: Case) -> None:
    folder = Path(case.home.spool, "s1")
    folder.mkdir()
    fd = files.open_lock(str(folder / "lock"))
    try:
        assert files.try_lock(fd)
        alone = replace(case, known=None)
        assert only(alone, "journals", Level.WARN).fix == "clawctl daemon start"
        strange = replace(case, known=replace(KNOWN, strange=["s1"]))
        assert "does not know: s1" in only(strange, "journals", Level.FAIL).text
    finally:
        os.close(fd)
    assert "of no run: s1" in only(strange, "journals", Level.WARN).text


def test_old_launch_files_are_told_but_not_those_of_runs_under_way(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "_MOST_LEFT", 1)
    old = (NOW - timedelta(days=4)).timestamp()
    for name in ("r1.1", "r2.1", "r3.1"):
        Path(case.home.launches, name).touch()
        os.utime(Path(case.home.launches, name), (old, old))

    assert "3 launch files" in only(case, "launches", Level.WARN).text
    busy = replace(case, known=replace(KNOWN, open_runs=frozenset({"r1", "r2"})))
    assert found(busy, "launches")[0].level is Level.PASS


def test_a_file_among_the_launches_that_is_none_is_told(case: Case) -> None:
    Path(case.home.launches, "notes.txt").touch()

    assert only(case, "launches", Level.WARN).text.endswith("are of no launch: notes.txt")


@pytest.mark.parametrize("name", ["claw.db", "secrets.json", "tokens.key"])
def test_a_file_of_the_state_that_others_may_open_is_told(case: Case, name: str) -> None:
    path = Path(case.home.state, name)
    path.touch()
    path.chmod(0o644)

    assert only(case, "folders", Level.WARN).fix == f"chmod go= {path}"


@pytest.mark.parametrize(
    ("kind", "check", "job"),
    [
        (AlertKind.OVERDUE, "overdue", "etl"),
        (DELIVERY, "messages", None),
        ("damaged", "attention", None),
    ],
)
def test_an_alert_that_stands_is_told_once(
    case: Case, kind: str, check: str, job: str | None
) -> None:
    alert = Alert(kind=kind, text="something is up", at=NOW, job=job, id=7)
    said = registry.look(replace(case, known=replace(KNOWN, alerts=[alert])))
    told = [one for one in said if one.text == "something is up"]

    assert [(one.check, one.level) for one in told] == [(check, Level.WARN)]
    assert "clawctl alerts ack 7" in told[0].fix


EVERY_HOUR = '[backup]\nevery = "1h"\n[daemon]\nmetrics_file = "/out/claw.prom"\n'
"""A backup may be two turns old, and ten minutes."""


def backed_up(case: Case, standing: Standing, trouble: str | None = None) -> Case:
    """Return a home with backups by themselves, as a daemon has seen them."""
    Path(case.home.config, "claw.toml").write_text(EVERY_HOUR)
    configuration = Configuration(case.home.config)
    configuration.current = configuration.load()
    return replace(
        case,
        configuration=configuration,
        known=replace(KNOWN, backups=standing, metrics_trouble=trouble),
    )


def _seen(last_at: datetime | None) -> Standing:
    return Standing(last_at=last_at, was_looked_at=True)


@pytest.mark.parametrize(
    ("standing", "level", "text"),
    [
        (_seen(NOW - timedelta(hours=2)), Level.PASS, "is 2h old, one is due each"),
        (_seen(NOW - timedelta(hours=2, minutes=11)), Level.FAIL, "is 2h11m old"),
        (_seen(None), Level.FAIL, "there is none, one is due each 1h"),
        (Standing(), Level.SKIP, "has just begun to look"),
        (Standing(is_making=True), Level.PASS, "one is being made; there is none"),
        (Standing(last_at=NOW, failure="no: disk full"), Level.FAIL, "no: disk full; the last"),
    ],
)
def test_backups_that_failed_or_are_too_old_are_told(
    case: Case, standing: Standing, level: Level, text: str
) -> None:
    [said] = found(backed_up(case, standing), "backups")

    assert (said.level, bool(said.fix)) == (level, level is Level.FAIL)
    assert text in said.text


def test_a_backup_that_failed_is_told_once(case: Case) -> None:
    alert = Alert(kind=BACKUP, text="no backup can be made", at=NOW, id=7)
    failed = backed_up(case, Standing(failure="disk full"))
    assert failed.known is not None
    said = replace(failed, known=replace(failed.known, alerts=[alert]))

    assert only(said, "attention", Level.PASS).text == "no alert of the daemon stands"


def test_backups_nobody_asked_for_are_no_failure(case: Case) -> None:
    assert only(case, "backups", Level.SKIP).text.endswith("there is none")


def test_figures_that_cannot_be_written_are_told(case: Case) -> None:
    assert found(case, "metrics file")[0].level is Level.SKIP
    wanted = backed_up(case, Standing(last_at=NOW))
    assert only(wanted, "metrics file", Level.PASS).text == "/out/claw.prom is written"
    wanted = backed_up(case, Standing(last_at=NOW), "No such folder")

    assert "No such folder" in only(wanted, "metrics file", Level.FAIL).text


def test_supervisors_of_another_version_are_told(case: Case) -> None:
    old = replace(KNOWN, supervisors=[("s1", "web", "0.0.9"), ("s2", "web", "0.1.0")])

    assert (
        "1 are still of version 0.0.9"
        in only(replace(case, known=old), "supervisors", Level.WARN).text
    )


def test_a_clock_that_cannot_be_right_is_told(case: Case) -> None:
    early = replace(case, now=datetime(1970, 1, 2, tzinfo=UTC))

    assert "1970-01-02" in only(early, "clock", Level.FAIL).text


def test_few_open_files_are_told_with_the_setting(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (256, 256))

    assert any("LimitNOFILE=" in one.fix for one in found(case, "limits"))


def test_a_check_that_goes_wrong_harms_no_other(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_case: Case) -> Iterator[Finding]:
        yield good("so far")
        raise ValueError("oh no")

    monkeypatch.setitem(registry.CHECKS, "clock", broken)
    said = found(case, "clock")

    assert [one.level for one in said] == [Level.PASS, Level.FAIL]
    assert "oh no" in said[1].text
    assert found(case, "program")[0].level is Level.PASS


def test_a_home_where_no_daemon_has_run_has_one_failure(tmp_path: Path) -> None:
    home = homes.at_folder(str(tmp_path / "home"))
    files.make_folder(home.config, 0o700)
    configuration = Configuration(home.config)
    said = registry.look(Case(home=home, configuration=configuration, now=NOW, known=None))

    assert [one.check for one in said if one.level is Level.FAIL] == ["daemon"]
    assert not Path(home.state).exists(), "a look makes nothing"


def test_a_secret_that_cannot_be_read_is_told_with_who_needs_it(case: Case) -> None:
    secrets = [("A", "web", None), ("B", "etl", "there is no secret B")]
    told = only(replace(case, known=replace(KNOWN, secrets=secrets)), "secrets", Level.FAIL)

    assert told.text == "etl: there is no secret B"
    assert "clawctl secret set B" in told.fix
    fine = replace(case, known=replace(KNOWN, secrets=secrets[:1]))
    assert only(fine, "secrets", Level.PASS).text == "1 can be read"


def test_a_package_that_is_missing_is_told_before_it_is_needed(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(machine._IMPORTED_LATE, "no_such_module", "no-such-package")

    assert only(case, "program", Level.FAIL).fix == "pip install no-such-package"
