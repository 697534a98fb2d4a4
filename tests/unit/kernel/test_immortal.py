"""Objects whose references are not counted."""

import subprocess
import sys

import pytest

IS_HEEDED = sys.version_info >= (3, 12)
SCRIPT = """
import gc, sys
from claw.kernel import immortal
from claw.kernel.immortal import _Count as Count

class Thing:
    def act(self):
        return "a constant of a function"

constant = Thing.act.__code__.co_consts[-1]
objects = [Thing, Thing.act, Thing.act.__code__, constant, sys.stdin, gc.collect, [1.5]]
gc.collect()
immortal.make_all()
gc.freeze()
before = [Count.from_address(id(one)).value for one in objects]
more = objects * 3 + [Thing() for _ in range(100)]
taken = [Count.from_address(id(one)).value for one in objects]
del more
assert [Count.from_address(id(one)).value for one in objects] == before
fresh = Thing()
count = sys.getrefcount(fresh)
again = fresh
assert sys.getrefcount(fresh) == count + 1, "what is made later is counted"
for _ in range(100):
    exec("class Other(Thing): pass\\nOther().act()")
gc.collect()
print("counted" if taken != before else "not counted")
"""


@pytest.mark.parametrize("flags", [["-I", "-S"], []])
def test_references_to_what_is_immortal_are_not_counted_and_all_else_goes_on(
    flags: list[str],
) -> None:
    path = f"import sys; sys.path[:0] = {sys.path!r}\n"

    ended = subprocess.run(
        [sys.executable, *flags, "-c", path + SCRIPT], check=False, capture_output=True
    )

    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.decode().strip() == ("not counted" if IS_HEEDED else "counted")
