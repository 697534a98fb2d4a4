import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.model import reference
from claw.model.reference import Reference, Source

TOKEN = Reference(Source.SECRET, "TOKEN")
PORT = Reference(Source.ENV, "PORT")
KEY = Reference(Source.FILE, "/run/key.pem")
CREDENTIAL = Reference(Source.CREDENTIAL, "db.pw")


def test_each_reference_of_a_text_is_found_in_its_order() -> None:
    text = "a${secret:TOKEN}b${env:PORT}${file:/run/key.pem} ${credential:db.pw}"

    assert reference.references(text) == (TOKEN, PORT, KEY, CREDENTIAL)


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    values = {TOKEN: "${env:PORT}", PORT: "$$"}

    assert reference.fill("${secret:TOKEN}:${env:PORT}", values) == "${env:PORT}:$$"


def test_a_doubled_dollar_makes_a_reference_a_text() -> None:
    text = "$${secret:TOKEN} and $${x} and $HOME"

    assert reference.references(text) == ()
    assert reference.stands_in(text)
    assert reference.fill(text, {}) == "${secret:TOKEN} and $${x} and $HOME"


@pytest.mark.parametrize("text", ["", "${instance}", "${TOKEN}", "$secret:x", "${secret}"])
def test_other_texts_with_dollars_stay_as_they_are(text: str) -> None:
    assert not reference.stands_in(text)
    assert reference.fill(text, {}) == text
    assert reference.problem(text) is None


@given(st.text(alphabet="${}secrtnvfil:/x."))
def test_any_text_is_read_or_refused(text: str) -> None:
    if reference.problem(text) is None:
        values = dict.fromkeys(reference.references(text), "v")
        reference.fill(text, values)


def test_a_name_may_hold_the_number_of_the_instance() -> None:
    text = "${file:/keys/${instance}.pem}"

    assert reference.problem(text) is None
    assert reference.references(text.replace("${instance}", "2")) == (
        Reference(Source.FILE, "/keys/2.pem"),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("${secret:}", "letters, digits"),
        ("${secret:a/b}", "letters, digits"),
        ("${secret:" + "a" * 129 + "}", "at most 128"),
        ("${credential:../x}", "letters, digits"),
        ("${env:9}", "environment variable"),
        ("${file:x}", "whole path"),
        ("x${secret:a", "not closed"),
    ],
)
def test_a_bad_reference_is_told(text: str, told: str) -> None:
    assert told in (reference.problem(text) or "")


@pytest.mark.parametrize(
    ("url", "filled"),
    [
        ("${secret:a}", "a b/ü#?&@"),
        ("${secret:a}/x", "a b/ü#?&@/x"),
        ("http://h/p/${secret:a}", "http://h/p/a%20b/%C3%BC%23%3F%26%40"),
        ("http://h/p?k=${secret:a}&l=1", "http://h/p?k=a%20b%2F%C3%BC%23%3F%26%40&l=1"),
        ("http://u:${secret:a}@h:1/", "http://u:a%20b%2F%C3%BC%23%3F%26%40@h:1/"),
        ("http://${env:H}/${secret:a}x", "http://[::1]:80/a%20b/%C3%BC%23%3F%26%40x"),
        ("http://h/$${secret:a}", "http://h/${secret:a}"),
    ],
)
def test_a_value_in_an_address_changes_nothing_else_of_it(url: str, filled: str) -> None:
    values = {
        Reference(Source.SECRET, "a"): "a b/ü#?&@",
        Reference(Source.ENV, "H"): "[::1]:80",
    }
    assert reference.fill_url(url, values) == filled
