"""JSON without the json package, as the supervisors read it."""

import subprocess
import sys

import pytest

from claw.wire import flat
from tests.kit.master import ROOT

TORN = (
    b"", b"nope", b'{"ev": "stopp', b'{"a":1', b"[1", b'{"a" 1}', b'"abc', b'{"a":"\x01"}',
    b'{"a":"\\u12"}', b'{"a":1}{"b":2}', b"\xff\xfe", b"NaN", b"[" * 100_000,
)  # fmt: skip


@pytest.mark.parametrize("data", TORN, ids=lambda data: repr(data[:12]))
def test_what_is_torn_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        flat.loads(data)


def test_what_is_torn_is_refused_where_the_json_package_is_not_there_yet() -> None:
    code = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from claw.wire import flat
for data in {TORN!r}:
    try:
        flat.loads(data)
    except ValueError:
        continue
    print(data[:20])
print("json" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    # From 3.12 on the C part imports it for the class of its error: torn lines are few.
    assert (done.stdout, done.stderr) == (f"{sys.version_info >= (3, 12)}\n", "")
