"""Pings: which URL tells what."""

import pytest

from claw.model.pings import PingKind, url_of


@pytest.mark.parametrize(
    ("base", "kind", "url"),
    [
        ("https://hc.example/uuid", PingKind.SUCCESS, "https://hc.example/uuid"),
        ("https://hc.example/uuid/", PingKind.START, "https://hc.example/uuid/start"),
        ("https://hc.example/uuid", PingKind.FAIL, "https://hc.example/uuid/fail"),
        ("http://h:8/p?k=1", PingKind.FAIL, "http://h:8/p/fail?k=1"),
    ],
)
def test_the_end_of_the_path_tells_what_has_happened(
    base: str, kind: PingKind, url: str
) -> None:
    assert url_of(base, kind) == url
