import functools
import json
import random

import pytest

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


def test_all_texts_of_a_value_are_masked_and_its_keys() -> None:
    found = knowing("hunter2").mask_all({"hunter2": ["x hunter2", 1, None, ("hunter2",)]})

    assert found == {"****": ["x ****", 1, None, ["****"]]}


def test_half_a_value_at_the_edge_of_a_piece_is_masked() -> None:
    redactor = knowing("swordfish")

    assert redactor.mask_piece(b"a swor", begins=True, ends=False) == b"a ****"
    assert redactor.mask_piece(b"dfish b", begins=False, ends=True) == b"**** b"
    assert redactor.mask_piece(b"fish swo", begins=True, ends=True) == b"fish swo"


def test_json_stays_json_when_a_number_is_a_secret() -> None:
    assert knowing("1234").mask_json('{"pid":1234,"says":"is 1234"}') == (
        '{"pid":1234,"says":"is ****"}'
    )


def test_a_whole_value_at_the_edge_of_a_piece_is_no_half_of_one() -> None:
    for values, text in (
        (["12341234"], "12341234"),
        (["s3cretword", "wordpress"], "s3cretword"),
    ):
        redactor, data = knowing(*values), text.encode()
        assert redactor.mask_piece(b"pw is " + data, begins=True, ends=False) == b"pw is ****"
        assert redactor.mask_piece(data + b" it is", begins=False, ends=True) == b"**** it is"


def test_a_piece_from_amid_a_value_is_masked_whole() -> None:
    assert knowing("swordfish").mask_piece(b"ordfi", begins=False, ends=False) == b"****"


def test_values_that_overlap_are_masked_as_one() -> None:
    assert knowing("abcdef", "defghijk").mask("abcdefghijk, abcdefdefghijk") == "****, ********"


def test_text_that_holds_half_a_character_is_masked_too() -> None:
    assert knowing("hunter2", "\ud83dx").mask("\ud800 hunter2 \ud83dx") == "\ud800 **** ****"


def test_what_is_a_value_now_is_hidden_however_many_others_come_and_go() -> None:
    redactor = Redactor()
    redactor.add(["the value there is"], of="a")
    for no in range(30):
        lines = [f"{no:02}/{line:05}" for line in range(10_000)]
        redactor.add(["\n".join(lines)], of="b")

    assert redactor.mask("the value there is") == "****"
    assert redactor.mask("29/09999") == "****"
    assert redactor.mask("00/09999") == "00/09999"


@pytest.mark.parametrize("seed", range(20))
def test_many_values_are_found_as_one_by_one(seed: int) -> None:
    chance = random.Random(seed)
    word = functools.partial(chance.choices, "abc")
    values = {"".join(word(k=chance.randint(4, 9))) for _ in range(chance.randint(1, 30))}
    text = "".join(word(k=200))
    hidden = {
        at + place
        for value in values
        for at in range(len(text))
        if text.startswith(value, at)
        for place in range(len(value))
    }

    shown = knowing(*values).mask(text).replace("*", "")
    assert shown == "".join(one for at, one in enumerate(text) if at not in hidden)
