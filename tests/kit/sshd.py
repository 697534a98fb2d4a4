"""A real sshd on loopback, with keys of its own, and what ssh needs to get in."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

PATIENCE_S = 30.0
PROGRAM = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
MISSING = (
    "" if PROGRAM and shutil.which("ssh") else "there is no sshd: apt install openssh-server"
)


@contextlib.contextmanager
def serving(folder: Path, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Serve for a while; yield ``HOST:PORT`` and the value of CLAW_SSH.

    Args:
        folder: For its files.
        environ: What those have who come in.
    """
    assert PROGRAM
    folder.mkdir()
    for name in ("host", "client"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(words, check=True)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    variables = " ".join(f"{name}={value}" for name, value in environ.items())
    (folder / "sshd.conf").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/client.pub\nUsePAM no\nStrictModes no\n"
        "PasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        f"SetEnv {variables}\n"
    )
    key = (folder / "host.pub").read_text().rsplit(maxsplit=1)[0]
    (folder / "known").write_text(f"[127.0.0.1]:{port} {key}\n")
    (folder / "ssh.conf").write_text(
        f"Host *\nIdentitiesOnly yes\nIdentityFile {folder}/client\n"
        f"UserKnownHostsFile {folder}/known\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    serve = [PROGRAM, "-D", "-e", "-f", str(folder / "sshd.conf")]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(serve, stdin=subprocess.DEVNULL, stderr=log) as server,
    ):
        try:
            _await(port, server)
            yield f"127.0.0.1:{port}", f"ssh -F {folder}/ssh.conf"
        finally:
            server.terminate()


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
            return
        assert server.poll() is None, "sshd has ended"
        assert time.monotonic() < deadline, "sshd does not listen"
        time.sleep(0.02)
