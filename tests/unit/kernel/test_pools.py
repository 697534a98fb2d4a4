"""Where new objects come to lie."""

import subprocess
import sys

SCRIPT = """
from claw.kernel import pools
PAGE = 4096

def pages():
    made = [bytes(100) for _ in range(30)]  # 144 bytes each, with their heads
    return len({id(one) // PAGE for one in made})

holes = [bytes(100) for _ in range(4000)]
del holes[::40]
before = pages()
kept = pools.fill()
after = pages()
del kept
print(before, after, pages())
"""


def test_new_objects_lie_side_by_side_once_the_pools_are_full() -> None:
    path = f"import sys; sys.path[:0] = {sys.path!r}\n"

    said = subprocess.run(
        [sys.executable, "-c", path + SCRIPT], check=True, capture_output=True
    )

    before, after, afterwards = (int(word) for word in said.stdout.split())
    assert before > 10
    assert after <= 3
    assert afterwards > after  # kept no longer, they fill nothing
