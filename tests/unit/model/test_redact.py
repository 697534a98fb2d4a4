import json

from claw.model.redact import Redactor


def knowing(*values: str) -> Redactor:
    redactor = Redactor()
    redactor.add(values)
    return redactor


def test_nothing_is_masked_before_anything_is_known() -> None:
    assert Redactor().mask("hunter2") == "hunter2"
    assert Redactor().mask_all({"a": ["hunter2"]}) == {"a": ["hunter2"]}


def test_each_value_is_masked_wherever_it_stands() -> None:
    found = knowing("hunter2", "swordfish").mask("a hunter2, b=swordfish;hunter2")

    assert found == "a ****, b=****;****"


def test_of_values_that_overlap_the_longest_is_masked() -> None:
    assert knowing("hunt", "hunter2").mask("hunter2 hunts") == "**** ****s"


def test_what_is_shorter_than_four_bytes_is_shown() -> None:
    assert knowing("abc", "é!").mask("abc é!") == "abc é!"


def test_a_value_is_known_in_json_too() -> None:
    value = 'pa"ss\\wörd'
    redactor = knowing(value)

    for ascii_only in (True, False):
        data = json.dumps({"a": value}, ensure_ascii=ascii_only).encode()
        assert json.loads(redactor.mask_bytes(data)) == {"a": "****"}


def test_a_value_of_several_lines_is_masked_line_by_line() -> None:
    redactor = knowing("-----BEGIN\nMIIEpAIB\n-----END")

    assert redactor.mask("read: MIIEpAIB") == "read: ****"


def test_all_texts_of_a_value_are_masked_and_no_keys() -> None:
    found = knowing("hunter2").mask_all({"hunter2": ["x hunter2", 1, None, ("hunter2",)]})

    assert found == {"hunter2": ["x ****", 1, None, ["****"]]}


def test_half_a_value_at_the_edge_of_a_piece_is_masked() -> None:
    redactor = knowing("swordfish")

    assert redactor.mask_piece(b"a swor", begins=True, ends=False) == b"a ****"
    assert redactor.mask_piece(b"dfish b", begins=False, ends=True) == b"**** b"
    assert redactor.mask_piece(b"fish swo", begins=True, ends=True) == b"fish swo"


def test_json_stays_json_when_a_number_is_a_secret() -> None:
    assert knowing("1234").mask_json('{"pid":1234,"says":"is 1234"}') == (
        '{"pid":1234,"says":"is ****"}'
    )
