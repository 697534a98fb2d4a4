"""A real journald, in a mount namespace of its own, has what a job writes, with fields."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.master import ROOT

JOURNALD = Path("/lib/systemd/systemd-journald")
SCRIPT = """
mount -t tmpfs tmpfs /run/systemd && mount -t tmpfs tmpfs /run/log || exit 77
mkdir -p /run/systemd/journal /run/log/journal
exec "$@"
"""
INSIDE = f"""
import subprocess, sys
from pathlib import Path
from tests.kit.master import master

CONFIG = '''
[jobs.talks]
command = "echo out; echo err >&2; printf '%0200000d' 0; echo"
log = {{ to = ["journal"], stderr = "separate" }}
'''
QUERY = "journalctl -D /run/log/journal -a -o json --no-pager CLAW_JOB=talks".split()

def found():
    done = subprocess.run(QUERY, capture_output=True, text=True)
    return done.stdout if done.stdout.count("\\n") == 3 else ""

with master(Path(sys.argv[1]), CONFIG) as claw:
    run = claw.ended(claw.submit("talks"))["id"]
    claw.wait_until(lambda: "takes none" in claw.stderr, "a warning: there is no journal yet")
    journald = subprocess.Popen(["{JOURNALD}"], stderr=subprocess.DEVNULL)
    try:
        print(run, claw.wait_until(found, "entries"), sep="\\n")
    finally:
        journald.terminate()
        journald.wait()
"""


@pytest.mark.root
@pytest.mark.skipif(
    not (JOURNALD.exists() and shutil.which("journalctl") and shutil.which("unshare")),
    reason="no journald",
)
def test_output_arrives_in_a_journal_that_comes_late(tmp_path: Path) -> None:
    if os.geteuid() != 0 or not Path("/run/systemd").is_dir() or not Path("/run/log").is_dir():
        pytest.skip("cannot put a journal in place of the machine's own")
    words = ["unshare", "-m", "sh", "-c", SCRIPT, "sh", sys.executable, "-c", INSIDE]
    done = subprocess.run(
        [*words, str(tmp_path / "home")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip(f"cannot mount: {done.stderr}")
    assert done.returncode == 0, done.stderr
    run, *lines = filter(None, done.stdout.splitlines())

    entries = {one["CLAW_STREAM"] + one["MESSAGE"][:3]: one for one in map(json.loads, lines)}
    out, err, long = entries["stdoutout"], entries["stderrerr"], entries["stdout000"]
    assert (out["CLAW_RUN"], out["SYSLOG_IDENTIFIER"], out["PRIORITY"]) == (run, "talks", "6")
    assert err["PRIORITY"] == "3"
    assert len(long["MESSAGE"]) == 200_000
    assert all(
        "CLAW_TIME" in one and one["_TRANSPORT"] == "journal" for one in entries.values()
    )
