"""Another user, for tests that need two."""

import functools
import os
import subprocess
import sysconfig
from collections.abc import Collection, Mapping
from pathlib import Path

from tests.kit.clawctl import PATIENCE_S, ROOT, Said

NOBODY = 65534
PYTHON = Path("/usr/bin/python3")
"""That any user can run, with claw's sources."""
MODULES = f"{ROOT}:{sysconfig.get_paths()['purelib']}"


def why_alone() -> str:
    """Return why this process cannot become `NOBODY`; "" when it can."""
    if os.geteuid() != 0:
        return "needs root: two users take part"
    for line in Path("/proc/self/uid_map").read_text().splitlines():  # user_namespaces(7)
        first, _outside, count = map(int, line.split())
        if first <= NOBODY < first + count:
            return ""
    return "this user namespace has no other user"


@functools.cache
def why_no_clawctl() -> str:
    """Return why no other user can run clawctl here; "" when one can."""
    if why_alone():
        return why_alone()
    words = [
        str(PYTHON),
        "-c",
        f"import os; os.setuid({NOBODY}); import claw.cli.verbs.definitions",
    ]
    try:
        subprocess.run(words, env={"PYTHONPATH": MODULES}, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return "another user cannot run these sources"
    return ""


def clawctl(
    uid: int,
    words: Collection[str],
    *,
    groups: Collection[int] = (),
    environ: Mapping[str, str] | None = None,
    status: int | None = 0,
) -> Said:
    """Run a command line as another user, who is in their own group and in these.

    Args:
        uid: The user, who need not have a name; the group's number is the same.
        words: After ``clawctl``.
        groups: Supplementary groups.
        environ: Beside what is needed to run it.
        status: What it has to exit with; None: anything.
    """
    done = subprocess.run(
        [PYTHON, "-B", "-m", "claw", *words],
        user=uid,
        group=uid,
        extra_groups=list(groups),
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": MODULES, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=2 * PATIENCE_S,
        text=True,
        check=False,
    )
    said = Said(tuple(words), done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in said.err, said
    assert status is None or said.status == status, said
    return said
