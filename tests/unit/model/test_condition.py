"""What is a condition, and when it holds."""

import pytest

from claw.model import condition


def test_a_text_is_in_the_output_as_it_is_written() -> None:
    one = condition.parse("contains:ALERT: disk")
    assert one.is_of_output
    assert one.is_met_by_output(b"x ALERT: disk y")
    assert not one.is_met_by_output(b"alert: disk")


def test_a_text_that_is_no_ascii_is_found_in_utf_8() -> None:
    assert condition.parse("contains:größe").is_met_by_output("Die größe".encode())


def test_exit_codes_are_kept_in_one_way() -> None:
    one = condition.parse("exit: 3, 04")
    assert one.text == "exit:3,4"
    assert one.is_met_by_exit(4, None)
    assert not one.is_met_by_exit(34, None)
    assert not one.is_met_by_exit(None, None)


def test_a_signal_is_128_and_its_number() -> None:
    one = condition.parse("exit:137")
    assert one.is_met_by_exit(None, 9)
    assert not one.is_met_by_exit(None, 15)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("json:status=done", '{"status": "done"}'),
        ('json:status="done"', '{"status": "done"}'),
        ("json:a.b=1", '{"a": {"b": 1}}'),
        ("json:a.b=1", '{"a": {"b": 1.0}}'),
        ("json:a.1=x", '{"a": ["y", "x"]}'),
        ("json:ok=true", '{"ok": true}'),
        ("json:ok=null", '{"ok": null}'),
        ("json:a=b=c", '{"a": "b=c"}'),
        ("json:a=", '{"a": ""}'),
        ('json:a={"y": 2, "x": 1}', '{"a": {"x": 1, "y": 2}}'),
        ("json:a=1", '{"a": "1"}'),
    ],
)
def test_a_value_of_the_result_is_found(text: str, result: str) -> None:
    assert condition.parse(text).is_met_by_result(result)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("json:status=done", None),
        ("json:status=done", '"done"'),
        ("json:status=done", "[]"),
        ("json:ok=1", '{"ok": true}'),
        ("json:ok=true", '{"ok": 1}'),
        ("json:a.5=x", '{"a": ["x"]}'),
        ("json:a.b.c=x", '{"a": {"b": "x"}}'),
        ("json:a=done", '{"a": "Done"}'),
        ("json:a=done", '{"b": "done"}'),
    ],
)
def test_another_value_or_none_is_no_match(text: str, result: str | None) -> None:
    assert not condition.parse(text).is_met_by_result(result)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "begins with contains:TEXT"),
        ("ALERT", "begins with"),
        ("match:x", "begins with"),
        ("contains:", "nothing follows"),
        ("regex:(", "no regular expression"),
        ("exit:x", "no exit codes"),
        ("exit:256", "no exit codes"),
        ("exit:1,,2", "no exit codes"),
        ("exit:²", "no exit codes"),
        ("json:status", "no way into a result"),
        ("json:=x", "no way into a result"),
        ("json:a..b=x", "no way into a result"),
        ("contains:" + "x" * 1000, "characters"),
    ],
)
def test_what_is_no_condition_is_refused_with_what_one_is(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        condition.parse(text)
