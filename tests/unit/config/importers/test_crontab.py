"""Crontabs become jobs: what each line means, and what of it is told."""

from pathlib import Path

import pytest

from claw.config.importers import crontab
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.sources import Source
from claw.errors import UsageError

DATA = Path(__file__).parents[3] / "data" / "imports"


def read(
    text: str, folder: str = "/home/me", *, user: str = "", system: bool = False
) -> Harvest:
    source = Source("tab", text.encode(), folder)
    return crontab.read([source], Options(user=user, system=system))


def only(text: str, *, user: str = "") -> Draft:
    [job] = read(text, user=user).jobs
    return job


@pytest.fixture
def whole() -> dict[str, Draft]:
    return {job.name: job for job in read((DATA / "crontab").read_text()).jobs}


def test_the_names_are_those_of_the_programs(whole: dict[str, Draft]) -> None:
    assert list(whole) == [
        "poll", "report", "cleanup", "mail", "quiet", "agent", "sync", "morning", "spread",
        "hourly", "flags",
    ]  # fmt: skip


def test_variables_hold_from_their_line_on(whole: dict[str, Draft]) -> None:
    assert whole["poll"].table["env"] == {"DSN": "db=one two"}
    assert whole["poll"].table["shell"] == "/bin/bash"
    assert "timezone" not in whole["sync"].table
    assert whole["morning"].table["timezone"] == "Europe/Berlin"
    assert whole["morning"].table["env"] == {"DSN": "db=one two", "HOME": "/srv/jobs"}


def test_cron_runs_a_job_in_what_home_says(whole: dict[str, Draft]) -> None:
    assert "cwd" not in whole["poll"].table
    assert whole["morning"].table["cwd"] == "/srv/jobs"


def test_times_that_passed_are_not_made_up_for(whole: dict[str, Draft]) -> None:
    assert whole["poll"].table["catch_up"] == "none"
    assert "catch_up" not in whole["agent"].table


def test_either_day_fits_as_for_cron(whole: dict[str, Draft]) -> None:
    assert whole["cleanup"].table["schedule"] == "15 3 1,15 * 1"


def test_an_interval_stays_one(whole: dict[str, Draft]) -> None:
    assert whole["sync"].table["schedule"] == "@every 1h30m"
    assert whole["hourly"].table["schedule"] == "@every 1h"


def test_a_percent_sign_begins_standard_input(whole: dict[str, Draft]) -> None:
    assert whole["mail"].table["command"] == (
        "printf '%s\\n' 'Dear all,' '' ' 100% done' | {\nmail -s hello root\n}"
    )
    assert '"$(date +%F)"' in str(whole["report"].table["command"])


def test_a_time_drawn_at_random_becomes_jitter(whole: dict[str, Draft]) -> None:
    assert whole["spread"].table["schedule"] == "0 4 * * *"
    assert whole["spread"].table["jitter"] == "30m"


def test_the_comment_above_describes_and_what_is_commented_out_does_not(
    whole: dict[str, Draft],
) -> None:
    told = "Every ten minutes, and no run is mailed."
    assert whole["poll"].table["description"] == told
    assert "description" not in whole["report"].table


def test_what_is_not_carried_over_is_told_with_its_line() -> None:
    lines = [one.as_line() for one in read((DATA / "crontab").read_text()).all_notes()]

    assert [line.partition(": ")[0] for line in lines] == [
        "tab:3", "tab:13", "tab:19", "tab:20", "tab:21", "tab:22",
    ]  # fmt: skip
    assert "no mail" in lines[0]
    assert "can never fire" in lines[4]


def test_a_column_of_users_is_seen_or_said() -> None:
    text = (DATA / "system.crond").read_text()

    guessed, said = read(text), read(text, system=True)

    for found in (guessed, said):
        assert [job.table["user"] for job in found.jobs] == ["root", "nobody"]
    assert "taken for the system's" in guessed.notes[0].text
    assert said.notes == []
    assert read(text, "/etc/cron.d").jobs[0].table["command"] == "/usr/sbin/backup --full"


def test_a_users_own_crontab_has_none() -> None:
    job = only("* * * * * root /usr/sbin/backup\n", user="eve")

    assert (job.table["user"], job.table["command"]) == ("eve", "root /usr/sbin/backup")


@pytest.mark.parametrize(
    "command", ["git pull", "mail -s x me", "source ~/x && y", "run-parts /x"]
)
def test_a_program_is_no_user(command: str) -> None:
    assert only(f"* * * * * {command}\n").table["command"] == command


def test_a_system_crontab_without_the_column_says_so() -> None:
    found = read("0 0 * * *\t/opt/bin/midnight\n", "/etc/cron.d")

    assert found.jobs[0].table["command"] == "/opt/bin/midnight"
    assert "column of users is missing" in found.notes[0].text


def test_six_fields_have_seconds_first() -> None:
    job = only("*/6 * * * * * echo x\n")

    assert job.table["schedule"] == "*/6 * * * * *"
    assert job.notes


def test_what_a_template_leaves_open_is_disabled() -> None:
    job = only("5 * * * * %(django)s clean\n")

    assert job.table["enabled"] is False
    assert "template" in job.notes[0].text


def test_what_is_no_command_of_a_shell_is_left_out() -> None:
    found = read("5 * * * * start_connect('x') unless connected('x')\n")

    assert found.jobs == []
    assert "no command of a shell" in found.notes[0].text


@pytest.mark.parametrize("text", ["[program:x]\ncommand=y\n", "hello world\n", "{}\n"])
def test_what_is_no_crontab_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no line of a crontab"):
        read(text)


def test_a_comment_of_any_length_that_is_like_a_heading_is_looked_at_once() -> None:
    job = only(f"# {'m h ' * 30_000}\n1 2 * * * /bin/a\n")

    assert job.remarks


def test_a_heading_of_the_columns_is_no_remark() -> None:
    assert "description" not in only("# m h dom mon dow command\n1 2 * * * /bin/a\n").table
    assert only("# the hour of a month\n1 2 * * * /bin/a\n").table["description"]


def test_a_word_of_any_length_is_no_time() -> None:
    with pytest.raises(UsageError, match="no line of a crontab"):
        read(f"{'1' * 200_000}! * * * * /bin/a")


def test_a_range_at_random_beyond_the_field_is_refused() -> None:
    found = read("0~99 1 * * * /bin/a\n1 2 * * * /bin/b\n")

    assert [job.table["command"] for job in found.jobs] == ["/bin/b"]
    assert "there is no 99" in found.notes[0].text
