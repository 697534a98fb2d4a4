"""etcd and PostgreSQL on the loopback, with ports and folders of their own."""

import contextlib
import importlib.util
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.kit.servers import free_ports

PATIENCE_S = 60.0


def why_no_etcd() -> str:
    """Return why etcd cannot be tried; "" when it can."""
    return "" if shutil.which("etcd") else "not installed: etcd"


def why_no_postgres() -> str:
    """Return why PostgreSQL cannot be tried; "" when it can."""
    if importlib.util.find_spec("psycopg") is None:  # an extra
        return "not installed: psycopg"
    if not list(_programs()):
        return "not installed: postgresql"
    if os.geteuid() == 0 and not _has_user():
        return "PostgreSQL does not run as root, and there is no user postgres"
    return ""


def _programs() -> Iterator[Path]:
    for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True):
        yield path.parent


def _has_user() -> bool:
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        return False
    return True


@contextlib.contextmanager
def etcd() -> Iterator[str]:
    """Run etcd and yield its address."""
    port, peer_port = free_ports(2)
    address, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
    with tempfile.TemporaryDirectory() as folder:
        words = [
            "etcd", "--data-dir", folder, "--log-level", "error",
            "--listen-client-urls", address, "--advertise-client-urls", address,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", f"default={peer}",
        ]  # fmt: skip
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await(lambda: _etcd_answers(address), process)
            yield address
        finally:
            process.kill()
            process.wait()


def _etcd_answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=PATIENCE_S) as answer:
            return bool(json.load(answer)["health"] == "true")
    except OSError:
        return False


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Run PostgreSQL and yield how to connect."""
    programs, [port] = next(_programs()), free_ports(1)
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory() as folder:
        if user is not None:
            shutil.chown(folder, user)
        made = [str(programs / "initdb"), "-D", f"{folder}/data", "-A", "trust", "-N"]
        made += ["-U", "postgres", "--no-locale", "-E", "UTF8"]
        subprocess.run(made, check=True, capture_output=True, user=user, cwd="/")
        words = [
            str(programs / "postgres"), "-D", f"{folder}/data", "-F", "-p", str(port),
            "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}",
        ]  # fmt: skip
        process = subprocess.Popen(
            words, user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        try:
            _await(lambda: subprocess.run(ready, check=False).returncode == 0, process)
            yield f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
            process.wait()


def _await(answers: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not answers():
        assert process.poll() is None, "the server has ended"
        assert time.monotonic() < deadline, "the server does not answer"
        time.sleep(0.02)
