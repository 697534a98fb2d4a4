import pytest

from claw.commands import schema
from claw.errors import UsageError

POINT = schema.record(
    {
        "name": schema.string("a name", maxLength=5),
        "x": schema.integer("a place", minimum=0, maximum=9),
        "share": schema.number("a part"),
        "color": schema.choice("a color", "red", "green"),
        "on": schema.boolean("lit"),
        "tags": schema.array("words", schema.string("a word"), minItems=1),
        "env": schema.mapping("names", schema.string("a value")),
        "at": schema.time("when"),
        "note": schema.nullable(schema.string("words")),
    },
    ("name",),
)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"x": 0},
        {"x": 9},
        {"share": 3},
        {"share": 0.5},
        {"color": "red"},
        {"on": False},
        {"tags": ["a"]},
        {"env": {"A": "1", "B": ""}},
        {"at": "2026-12-24T09:00:00+01:00"},
        {"at": "2026-12-24T09:00:00Z"},
        {"note": None},
    ],
)
def test_what_fits_passes(more: dict[str, object]) -> None:
    schema.check({"name": "p", **more}, POINT, "point")


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"name": None}, "point: 'name' has to be a string, not None"),
        ({"name": "longer"}, "at most 5 letters"),
        ({"x": "1"}, "'x' has to be a whole number, not '1'"),
        ({"x": True}, "whole number"),
        ({"x": 1.5}, "whole number"),
        ({"x": -1}, "at least 0"),
        ({"x": 10}, "at most 9"),
        ({"share": "half"}, "a number"),
        ({"color": "gren"}, "one of red, green, not 'gren'"),
        ({"on": 1}, "true or false"),
        ({"tags": []}, "is empty"),
        ({"tags": ["a", 2]}, "'tags'[1] has to be a string"),
        ({"tags": {"a": 1}}, "has to be a list, not an object"),
        ({"env": {"A": 1}}, "'env': 'A' has to be a string"),
        ({"at": "soon"}, "ISO 8601"),
        ({"at": "2026-12-24T09:00:00"}, "with its offset"),
        ({"nickname": "p"}, "point has no 'nickname'"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(
    more: dict[str, object], text: str
) -> None:
    with pytest.raises(UsageError) as caught:
        schema.check({"name": "p", **more}, POINT, "point")

    assert text in caught.value.message


def test_a_missing_key_is_named() -> None:
    with pytest.raises(UsageError, match="point lacks 'name'"):
        schema.check({}, POINT, "point")


def test_an_unknown_key_brings_the_nearest_known_one() -> None:
    with pytest.raises(UsageError) as caught:
        schema.check({"name": "p", "colour": "red"}, POINT, "point")

    assert caught.value.hint == "did you mean 'color'?"


def test_a_mistyped_word_brings_the_nearest_known_one() -> None:
    with pytest.raises(UsageError) as caught:
        schema.check({"name": "p", "color": "gren"}, POINT, "point")

    assert caught.value.hint == "did you mean 'green'?"


def test_where_any_value_will_do_a_list_does() -> None:
    for value in ([1, [2, {"a": []}]], {"a": [1]}, None, "text", 1):
        schema.check(value, {"description": "any JSON value"}, "x")


def test_an_open_record_takes_more() -> None:
    schema.check({"b": 1}, schema.record({"a": schema.integer("a")}, is_open=True), "it")
