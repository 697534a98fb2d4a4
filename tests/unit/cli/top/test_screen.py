"""The screen as keys and news change it, drawn without a terminal."""

from datetime import UTC, datetime
from typing import Any

import pytest

from claw.cli.top import cells, drawing, keys, news, pressing, settings
from claw.cli.top.app import Top
from claw.cli.top.overlays import Pager, Question
from claw.cli.top.screen import Screen
from claw.commands.methods import METHODS
from claw.model.home import of_host

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def job(name: str, state: str = "running", **more: Any) -> dict[str, Any]:
    return {
        "name": name, "job": name, "type": "continuous", "state": state, "why": None,
        "pid": 100 if state == "running" else None, "started_at": None, "restarts": 0,
        "last": None, "next_at": None, "tags": [], "queued": 0, "health": None, **more,
    }  # fmt: skip


def run(id_: str, job: str = "a", **more: Any) -> dict[str, Any]:
    return {
        "id": id_, "job": job, "instance": None, "state": "failed", "attempt": 1,
        "exit_code": 3, "signal": None, "ended_at": NOW.isoformat(), "dead_at": NOW.isoformat(),
        "dead_why": "failed", **more,
    }  # fmt: skip


@pytest.fixture(name="screen")
def _screen() -> Screen:
    screen = Screen()
    screen.take(news.Linked({"role": "admin", "version": "1.0"}))
    screen.take(_jobs(job("a"), job("b", "stopped"), job("c", tags=["red"])))
    return screen


def _jobs(*rows: dict[str, Any], is_all: bool = True, at: float = 0.0) -> news.Jobs:
    return news.Jobs({"jobs": list(rows), "warnings": []}, is_all, at)


def text(screen: Screen, width: int = 80, height: int = 24, **more: Any) -> list[str]:
    return drawing.as_text(drawing.draw(screen, drawing.Look(width, height, NOW, **more)))


def press(screen: Screen, *names: str) -> list[news.Effect]:
    """Press keys, or type the letters of ``'text``, and return what is to be done."""
    for name in names:
        for one in name[1:] if name.startswith("'") else (name,):
            key = "space" if one == " " else one
            pressing.press(screen, key, one if len(one) == 1 else "")
    effects, screen.effects = screen.effects, []
    return effects


# -- what is drawn -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (40, 10), (200, 60), (20, 4), (1, 1)])
@pytest.mark.parametrize("tab", keys.TABS)
def test_a_screen_of_any_size_is_filled_and_never_left(
    screen: Screen, size: tuple[int, int], tab: str
) -> None:
    width, height = size
    screen.take(news.Table("runs", [run("r" * 30)]))
    screen.take(news.Table("dlq", [run("r" * 30, "日本語" * 9)]))
    screen.logs.show("a", "a")
    screen.logs.add("日本語" * 100 + "\n")
    screen.show_tab(tab)

    lines = drawing.draw(screen, drawing.Look(width, height, NOW))

    assert len(lines) == height
    for line in drawing.as_text(lines):
        assert cells.width(line) <= width, line


def test_of_a_thousand_jobs_only_what_is_visible_is_drawn_and_asked_for(screen: Screen) -> None:
    screen.take(_jobs(*(job(f"j{number:04}") for number in range(1000))))

    lines = text(screen, height=20)

    assert "1000 jobs  1000 running" in lines[1]
    assert [line.split()[0] for line in lines[4:-1]] == [f"j{at:04}" for at in range(15)]
    assert screen.wishes.names == tuple(f"j{at:04}" for at in range(15))
    press(screen, "G")
    assert text(screen, height=20)[-2].startswith("j0999")
    assert screen.wishes.names[-1] == "j0999"


def test_an_empty_column_takes_no_room_until_something_is_in_it(screen: Screen) -> None:
    assert "RESTARTS" not in text(screen)[3]

    screen.take(_jobs(job("a", restarts=2), is_all=False))

    assert "RESTARTS" in text(screen)[3]


def test_use_of_the_processor_is_told_from_two_looks(screen: Screen) -> None:
    screen.take(_jobs(job("a", cpu_time=1.0, memory=1 << 20, processes=1), at=10.0))
    screen.take(_jobs(job("a", cpu_time=2.0, memory=1 << 20, processes=1), at=12.0))
    assert "50.0" in text(screen)[4]

    other = job("a", cpu_time=0.1, memory=1 << 20, processes=1, pid=101)
    screen.take(_jobs(other, at=13.0))
    assert "50.0" not in text(screen)[4]


def test_what_is_wrong_with_the_daemon_is_said_and_the_jobs_stay_in_sight(
    screen: Screen,
) -> None:
    screen.take(news.Away("start it with `clawctl daemon start`"))
    assert "clawctl daemon start" in text(screen)[3]
    assert text(screen)[5].startswith("a ")

    screen.take(news.Linked({"role": "admin", "version": "1.0"}))
    assert text(screen)[-1] == "the daemon is back"
    assert "not answered for 7 s" in text(screen, silent_s=7.0)[3]


# -- commands ----------------------------------------------------------------------------------


def test_stop_and_restart_ask_first_and_only_y_is_yes(screen: Screen) -> None:
    for key, method in (("x", "job.stop"), ("R", "job.restart")):
        assert press(screen, key) == []
        assert text(screen)[-1].endswith(" a? y/n")
        assert press(screen, "n") == []
        [asked] = press(screen, key, "y")
        assert isinstance(asked, news.Ask)
        assert (asked.method, asked.params) == (method, {"targets": ["a"]})


def test_a_command_is_for_all_that_is_marked_and_takes_the_marks_away(screen: Screen) -> None:
    [asked] = press(screen, "space", "space", "s")

    assert isinstance(asked, news.Ask)
    assert asked.params == {"targets": ["a", "b"]}
    assert screen.table.marked == set()


def test_paused_jobs_are_resumed_and_others_paused(screen: Screen) -> None:
    screen.take(_jobs(job("a"), job("b", "paused")))

    found = press(screen, "space", "space", "p")

    assert [
        (one.method, one.params["targets"]) for one in found if isinstance(one, news.Ask)
    ] == [
        ("job.pause", ["a"]),
        ("job.resume", ["b"]),
    ]


def test_tags_are_edited_in_place(screen: Screen) -> None:
    press(screen, "G", "t")
    assert text(screen)[-1].startswith("tags of c: red")
    [asked] = press(screen, "' blue", "enter")
    assert isinstance(asked, news.Ask)
    assert asked.params["changes"] == [{"key": "tags", "op": "=", "value": ["red", "blue"]}]

    assert press(screen, "t", "enter") == []
    assert text(screen)[-1] == "nothing has changed"


def test_tags_of_many_are_added_and_taken_away(screen: Screen) -> None:
    [asked] = press(screen, "space", "space", "t", "'+new -red other", "enter")

    assert isinstance(asked, news.Ask)
    assert asked.params == {
        "targets": ["a", "b"],
        "changes": [
            {"key": "tags", "op": "+=", "value": ["new", "other"]},
            {"key": "tags", "op": "-=", "value": ["red"]},
        ],
    }


@pytest.mark.parametrize(
    ("tab", "key", "method"),
    [
        ("3", "f", "run.retry"), ("3", "x", "run.cancel"),
        ("4", "f", "dlq.reinject"), ("4", "x", "dlq.purge"),
    ],
)  # fmt: skip
def test_runs_and_dead_letters_have_commands_of_their_own(
    screen: Screen, tab: str, key: str, method: str
) -> None:
    for name in ("runs", "dlq"):
        screen.take(news.Table(name, [run("r1" + "0" * 20)]))

    effects = press(screen, tab, key)
    effects += press(screen, "y") if isinstance(screen.overlay, Question) else []

    assert [one.method for one in effects if isinstance(one, news.Ask)] == [method]


@pytest.mark.parametrize("tab", keys.TABS)
def test_no_key_does_harm_where_there_is_nothing(tab: str) -> None:
    screen = Screen()
    for key in keys.KEYS:
        if tab in key.tabs:
            screen.show_tab(tab)
            for effect in press(screen, key.keys[0], "escape"):
                assert not isinstance(effect, news.Ask) or effect.method == "config.reload"
            text(screen)


def test_what_the_role_forbids_is_told_and_not_asked_for(screen: Screen) -> None:
    screen.take(news.Linked({"role": "viewer", "version": "1.0"}))

    assert press(screen, "x") == []
    assert screen.overlay is None
    assert text(screen)[-1].endswith("needs the role operator; yours is viewer")
    press(screen, "?")
    assert "stop; asks first  (not for your role)" in "\n".join(text(screen, height=60))
    screen.take(news.Linked({"role": "operator", "version": "1.0"}))
    press(screen, "escape", "x")
    assert isinstance(screen.overlay, Question)


def test_a_key_that_does_nothing_says_so(screen: Screen) -> None:
    press(screen, "'Z")

    assert text(screen)[-1].startswith("Z does nothing here")


# -- filters, details, settings ----------------------------------------------------------------


def test_a_filter_narrows_while_it_is_typed_and_escape_takes_it_back(screen: Screen) -> None:
    press(screen, "/", "'tag:red")
    assert [line[0] for line in text(screen)[4:5]] == ["c"]
    assert "1 of 3 with 'tag:red'" in text(screen)[2]
    press(screen, "escape")
    assert len(screen.table.view) == 3

    press(screen, "/", "'state:stop", "enter", "escape")
    assert len(screen.table.view) == 3


def test_a_typed_line_is_edited_as_in_a_shell(screen: Screen) -> None:
    press(screen, "/", "'one two", "c-w", "'moreX", "home", "'x", "end", "backspace")
    assert screen.table.filter == "xone more"
    press(screen, "c-u", "left", "delete", "'a")
    assert screen.table.filter == "a"


def test_a_detail_is_asked_for_and_only_its_own_answer_shown(screen: Screen) -> None:
    press(screen, "enter")
    assert screen.wishes.about == ("job", "a")

    screen.take(news.Detail(("job", "b"), {"error": "not this"}))
    assert "..." in text(screen)
    screen.take(news.Detail(("job", "a"), {"error": "a has gone"}))
    assert "a has gone" in text(screen)
    press(screen, "escape")
    assert screen.wishes.about is None


def test_escape_goes_back_to_where_output_was_asked_for(screen: Screen) -> None:
    screen.take(news.Table("runs", [run("r1")]))

    press(screen, "3", "l")
    assert (screen.tab, screen.logs.target) == ("logs", "r1")
    press(screen, "escape")
    assert screen.tab == "runs"


def test_help_is_made_of_the_keys_of_the_tab(screen: Screen) -> None:
    press(screen, "5", "?")
    assert isinstance(screen.overlay, Pager)

    page = "\n".join(screen.overlay.text)

    assert "reload; asks first" in page
    assert "cancel the run" not in page


def test_older_runs_are_asked_for_at_the_end_of_those_that_are_known(screen: Screen) -> None:
    screen.take(news.Table("runs", [run(f"r{at}") for at in range(3)], is_more=True))
    press(screen, "3")
    assert screen.wishes.runs == 200

    press(screen, "G")

    assert screen.wishes.runs == 400


def test_columns_and_order_are_remembered(screen: Screen, tmp_path: Any) -> None:
    path = tmp_path / "claw" / "top.json"
    effects = press(screen, "C", "down", "down", "space", "enter", ">", "I")
    assert effects == [news.Remember()] * 3
    settings.save(path, screen.tables)

    other = Screen()
    settings.load(path, other.tables)

    table = other.tables["jobs"]
    assert "pid" not in table.chosen
    assert "name" in table.chosen
    assert (table.sort, table.is_descending) == (screen.table.sort, screen.table.is_descending)


@pytest.mark.parametrize("kept", ["", "[]", "{", '{"jobs": 3}', '{"jobs": {"columns": [7]}}'])
def test_settings_that_cannot_be_read_are_passed_over(tmp_path: Any, kept: str) -> None:
    path = tmp_path / "top.json"
    path.write_text(kept)
    screen = Screen()

    settings.load(path, screen.tables)

    assert "name" in screen.tables["jobs"].chosen


# -- the table of keys -------------------------------------------------------------------------


def test_each_key_has_an_action_and_no_tab_has_one_key_twice() -> None:
    for tab in keys.TABS:
        own = [name for key in keys.KEYS if tab in key.tabs for name in key.keys]
        assert len(own) == len(set(own)), tab
    assert {key.action for key in keys.KEYS} == set(pressing.ACTIONS)


def test_what_a_key_calls_is_a_method() -> None:
    assert {key.method for key in keys.KEYS if key.method} <= set(METHODS)


def test_what_the_last_line_reminds_of_is_there() -> None:
    for tab, actions in keys.HINTED.items():
        own = {key.action for key in keys.KEYS if tab in key.tabs}
        assert set(actions) <= own
        assert set(actions) <= set(keys.HINTS)


def test_the_key_that_edits_does_nothing_for_another_hosts_master() -> None:
    screen = Top(of_host("ssh://web1/bin/clawctl?--home=/x"), "web1")._screen
    screen.take(news.Jobs({"jobs": [job("a")]}, True, 0.0))

    pressing.press(screen, "e", "e")

    assert screen.effects == []
    assert screen.message[1]
    assert "works only where the daemon is: ssh ssh://web1 clawctl" in screen.message[0]
    assert any("(only where the daemon is)" in line for line in pressing.help_lines(screen))
