"""Backups in a bucket, on a server on loopback that speaks as S3 does."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from claw.errors import RequestError
from claw.master.backup.s3 import Bucket
from claw.model import backups
from claw.model.backups import Settings
from tests.kit.clawctl import Shell
from tests.kit.master import StartMaster

PATIENCE_S = 60.0
MISSING = [
    name
    for name in ("obstore", "moto", "flask", "flask_cors")
    if importlib.util.find_spec(name) is None
]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
T0 = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        make_bucket(server, address)
        yield address
    finally:
        server.kill()
        server.wait()


def make_bucket(server: "subprocess.Popen[bytes]", address: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        request = urllib.request.Request(f"{address}/kept", method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S):
                return
        except OSError:
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)


def settings(endpoint: str) -> Settings:
    return Settings(endpoint=endpoint, access_key="AK", secret_key="SK")


def test_a_bucket_keeps_lists_and_gives_back_what_it_was_given(
    endpoint: str, tmp_path: Path
) -> None:
    bucket = Bucket("s3://kept/host/a", settings(endpoint), str(tmp_path / "drafts"))
    other = Bucket("s3://kept/host", settings(endpoint), str(tmp_path / "drafts"))
    assert bucket.all() == []
    content = os.urandom(12 << 20)  # large enough to be sent in parts
    names = [backups.name_of(T0 + timedelta(hours=n), "1.0") for n in range(2)]
    for name in names:
        Path(bucket.draft(name)).write_bytes(content)
        bucket.keep(name)

    assert [(one.name, one.size) for one in bucket.all()] == [
        (name, len(content)) for name in names
    ]
    assert other.all() == []  # what lies deeper is another's
    bucket.fetch(names[0], str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == content
    bucket.remove(names[0])
    assert [one.name for one in bucket.all()] == names[1:]


def test_a_bucket_that_is_not_there_is_told_in_a_line(endpoint: str, tmp_path: Path) -> None:
    bucket = Bucket("s3://nobodys", settings(endpoint), str(tmp_path))

    with pytest.raises(RequestError, match="s3://nobodys: ") as caught:
        bucket.all()

    assert "\n" not in caught.value.message


def test_a_home_is_kept_in_a_bucket_with_a_key_that_is_a_secret_and_comes_back(
    endpoint: str, start_master: StartMaster
) -> None:
    claw = start_master(
        f'[backup]\nto = "s3://kept/claw"\nendpoint = "{endpoint}"\n'
        'access_key = "AK"\nsecret_key = "${secret:S3_KEY}"\n'
        '[jobs.kept]\ncommand = "true"\n'
    )
    ctl = Shell(claw.environment)
    assert "S3_KEY" in ctl("backup", "create", status=1).fault
    assert ctl.sh("printf xyzzy-key | $CLAWCTL secret set S3_KEY").status == 0

    made = ctl("backup", "create", "--json").json
    assert made["place"] == "s3://kept/claw"
    claw.end()
    (claw.folder / "state" / "claw.db").unlink()

    said = ctl("backup", "restore", "latest", "--json").json
    assert said["file"] == made["backup"]["name"]
    assert ctl("backup", "list", "--json").json["backups"] == [made["backup"]]
    assert "1 left" in ctl("backup", "prune", "-n").out
    claw.start()
    assert claw.job("kept")["state"] == "stopped"
