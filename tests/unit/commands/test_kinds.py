import pytest

from claw.commands import kinds


@pytest.mark.parametrize(
    ("text", "name"),
    [("HUP", "HUP"), ("hup", "HUP"), ("SIGHUP", "HUP"), ("sigusr1", "USR1"), ("9", "KILL")],
)
def test_a_signal_has_many_spellings_and_one_name(text: str, name: str) -> None:
    assert kinds.SIGNAL.parse(text) == name


@pytest.mark.parametrize(
    ("text", "hint"), [("HAP", "did you mean 'HUP'?"), ("99", "write TERM"), ("", "write TERM")]
)
def test_what_is_no_signal_is_refused_with_a_hint(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match="is no signal") as caught:
        kinds.SIGNAL.parse(text)

    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("text", "pair"), [("A=1", ("A", "1")), ("A=", ("A", "")), ("A=b=c", ("A", "b=c"))]
)
def test_a_setting_is_a_name_and_a_value(text: str, pair: tuple[str, str]) -> None:
    assert kinds.SETTING.parse(text) == pair


@pytest.mark.parametrize("text", ["A", "=1", ""])
def test_what_is_no_setting_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write NAME=VALUE"):
        kinds.SETTING.parse(text)


@pytest.mark.parametrize(("kind", "text"), [(kinds.LINES, "-1"), (kinds.COUNT, "0")])
def test_a_number_that_is_too_small_is_refused(kind: kinds.Kind, text: str) -> None:
    with pytest.raises(ValueError, match="too small"):
        kind.parse(text)


@pytest.mark.parametrize("text", ["", "x", "1.5", "1e3"])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no whole number"):
        kinds.COUNT.parse(text)


def test_a_choice_brings_the_nearest_word() -> None:
    assert kinds.JOB_TYPE.parse("manual") == "manual"
    with pytest.raises(ValueError, match="did you mean 'scheduled'"):
        kinds.JOB_TYPE.parse("schedule")


def test_json_is_read_and_what_is_none_refused() -> None:
    assert kinds.JSON.parse('{"a": [1]}') == {"a": [1]}
    with pytest.raises(ValueError, match="no JSON"):
        kinds.JSON.parse("{a: 1}")


def test_times_are_read_against_the_present() -> None:
    past, future = kinds.PAST.parse("1h"), kinds.FUTURE.parse("tomorrow 09:00")

    assert past < future  # type: ignore[operator]
