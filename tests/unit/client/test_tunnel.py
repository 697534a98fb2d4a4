import shlex
import sys
from pathlib import Path

import pytest

from claw.client import remote
from claw.client.remote import Tunnel

DEAF = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.stdin.buffer.read()
sys.stdout.buffer.write(b"deaf")
sys.stdout.flush()
signal.pause()
"""


def test_what_leads_to_a_host_and_will_not_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deaf").write_text(DEAF)
    monkeypatch.setenv("CLAW_SSH", shlex.join([sys.executable, str(tmp_path / "deaf")]))
    monkeypatch.setattr(remote, "_KILL_S", 0.05)
    tunnel = Tunnel("ssh://far")
    tunnel.socket.shutdown(1)
    assert tunnel.socket.recv(4) == b"deaf"
    monkeypatch.setattr(remote, "_END_S", 0.05)

    tunnel.close()

    assert tunnel._process.returncode == -9


def test_what_to_try_is_what_was_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ssh").write_text("echo no such host >&2; exit 255")
    monkeypatch.setenv("CLAW_SSH", f"sh {tmp_path}/ssh -F 'my conf'")
    tunnel = Tunnel("ssh://eve@far:2222/opt/clawctl")

    error = tunnel.failure()
    tunnel.close()
    assert error.message == "eve@far:2222: no such host"
    assert error.hint == f"try: sh {tmp_path}/ssh -F 'my conf' ssh://eve@far:2222 true"
