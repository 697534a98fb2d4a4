"""``clawctl`` on a terminal of its own."""

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence

from tests.kit.clawctl import ROOT, command_line


def on_a_terminal(words: Sequence[str], environ: Mapping[str, str]) -> str:
    """Run a command line with a terminal as its output, and return what it wrote there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command_line(words),
        cwd=ROOT,
        env=dict(environ),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # EIO: nobody has the other end open any more
            break
        if not data:
            break
        said += data
    os.close(ours)
    process.wait(30)
    return said.decode()
