"""Masking: what is not plainly harmless does not leave the host."""

import subprocess
import sys

import pytest

from claw.model.masking import MASK, mask, mask_env, mask_url, mask_users, unseen


@pytest.mark.parametrize(
    ("name", "value", "is_shown"),
    [
        ("LANG", "de_DE.UTF-8", True),
        ("LC_ALL", "C", True),
        ("WORKERS", "4", True),
        ("DEBUG", "true", True),
        ("API_TOKEN", "4", False),
        ("DB_PASSWORD", "true", False),
        ("WHERE", "db.example", False),
        ("NUMBER", "12345678", False),
    ],
)
def test_a_variable_is_shown_when_name_and_value_are_harmless(
    name: str, value: str, *, is_shown: bool
) -> None:
    assert mask_env(name, value) == (value if is_shown else MASK)


def test_of_a_url_scheme_and_host_are_left() -> None:
    assert mask_url("https://me:pw@hc.example:8/uuid?k=1") == f"https://hc.example/{MASK}"


def test_environments_and_urls_are_found_at_any_depth() -> None:
    found = mask({"a": [{"env": {"X": "s3cret"}, "ping": "http://h/x", "text": "kept"}]})
    assert found == {"a": [{"env": {"X": MASK}, "ping": f"http://h/{MASK}", "text": "kept"}]}


def test_users_in_the_urls_of_a_text_are_masked() -> None:
    text = "from a+b://me:pw@h/x?a=b@c to http://h/y, ftp://u@k"
    assert mask_users(text) == f"from a+b://{MASK}@h/x?a=b@c to http://h/y, ftp://{MASK}@k"


@pytest.mark.parametrize("word", ["a", "a://", "://x"])
def test_a_long_text_is_masked_in_one_pass(word: str) -> None:
    code = f"from claw.model.masking import mask_users; mask_users({word!r} * 1_000_000)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_viewer_sees_names_of_variables_and_hosts_of_urls() -> None:
    table = {
        "env": {"TOKEN": "t", "MODE": "fast"},
        "health": {"url": "https://u:p@a.example/x?key=1"},
        "ping": "https://hc.example/uuid",
        "retry": [{"delays": [1]}],
        "command": "true",
    }

    assert unseen(table) == {
        "env": {"TOKEN": "****", "MODE": "****"},
        "health": {"url": "https://a.example/****"},
        "ping": "https://hc.example/****",
        "retry": [{"delays": [1]}],
        "command": "true",
    }
    assert unseen("v", ("env", "A")) == "****"
    assert unseen("", ("ping",)) == ""
