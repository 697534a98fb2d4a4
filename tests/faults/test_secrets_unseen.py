"""I8: no secret's value is found in any file, argv, database page or reply of claw.

What a job prints itself is in its output file, which is not looked at; claw stores and shows
that masked. The values are new each time, so that all processes of a machine can be looked at.
"""

import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from claw.kernel import files, process
from claw.wire import supervision
from tests.kit.clawctl import Shell
from tests.kit.master import MasterUnderTest, StartMaster

SERVICE = """
import os, socket, time
place = os.environ["NOTIFY_SOCKET"].replace("@", chr(0), 1)
told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
told.connect(place)
told.send(b"READY=1\\nSTATUS=with " + os.environ["TOKEN"].encode())
time.sleep(600)
"""
LEAKY = """
import json, os, subprocess, sys
token = os.environ["TOKEN"]
print("it is", token)
claw = [sys.executable, "-m", "claw"]
subprocess.run([*claw, "emit", "told", "--data", json.dumps({token: [token]})], check=True)
json.dump({"token": token, token: 1}, open(os.environ["CLAW_RESULT_FILE"], "w"))
sys.exit("failed with " + token)
"""
CONFIG = """
[channels.file]
path = "@/told"

[[hooks]]
on = ["*"]
channel = "file"

[jobs.web]
argv = ["@python", "-c", @service]
type = "continuous"
env = { TOKEN = "${secret:T}" }
ready = { type = "notify" }
restart = { policy = "always", delays = ["0s"] }

[jobs.web.health]
type = "http"
url = "http://127.0.0.1:1/${secret:T}"
start_period = "0s"
interval = "100ms"
failures = 1
action = "alert"

[jobs.leaky]
argv = ["@python", "-c", @leaky]
env = { TOKEN = "${secret:T}" }
delivery = { mode = "announce", channel = "file" }
alerts = { on = ["failed"], channel = "file" }
checks = [{ match = "it is", then = "warn" }]
log = { mask_secrets = true, stderr = "separate" }

[jobs.hearer]
command = 'cat "$CLAW_EVENT_FILE"'
events = ["told"]
"""


def keep(ctl: Shell, value: str) -> None:
    said = ctl.sh(f"printf %s {shlex.quote(value)} | $CLAWCTL secret set T")
    assert said.status == 0, said
    assert value not in said.out + said.err


def test_i8_no_value_of_a_secret_is_found_anywhere_but_with_who_has_it(
    start_master: StartMaster, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    config = CONFIG.replace("@python", sys.executable).replace("@/told", str(told))
    config = config.replace("@service", json.dumps(SERVICE))
    config = config.replace("@leaky", json.dumps(LEAKY))
    old, new = (f"Xyzzy-{secrets.token_hex(8)}-plugh" for _ in range(2))
    claw = start_master(config)
    ctl = Shell(claw.environment)
    keep(ctl, old)
    ctl("start", "web")
    claw.wait_until(lambda: "with ****" in str(claw.job("web")["status_text"]), "a status")
    run = claw.submit("leaky")
    assert claw.ended(run)["state"] == "failed"

    keep(ctl, new)
    os.kill(claw.job("web")["pid"], signal.SIGKILL)
    claw.wait_until(lambda: claw.job("web")["restarts"] == 1, "another process")
    claw.wait_until(lambda: len(claw.supervisors()) == 1, "only the service")
    [supervisor] = claw.supervisors().values()
    os.kill(supervisor, signal.SIGKILL)
    claw.wait_until(lambda: [*claw.supervisors().values()] not in ([], [supervisor]), "another")
    os.kill(claw.call("daemon.status")["fork_server_pid"], signal.SIGKILL)
    claw.kill()
    claw.start()
    again = claw.submit("leaky")
    assert claw.ended(again)["state"] == "failed"
    claw.wait_until(lambda: told.read_text().count("it is") >= 2, "deliveries")
    assert heard(claw, 2) == [{"****": ["****"]}] * 2

    for value in (old, new):
        assert not [name for name, data in things(claw, tmp_path) if value.encode() in data]
        assert not [name for name, text in replies(claw, run, again) if value in text]
    assert "it is ****" in ctl("logs", "leaky").out
    assert new in claw.output(f"leaky/{again}.out").decode()


def heard(claw: MasterUnderTest, count: int) -> list[object]:
    """Return what those were given that the children's events have started."""
    claw.wait_until(lambda: len(claw.runs("hearer")) == count, "who hears of it")
    found = [claw.ended(one["id"])["id"] for one in claw.runs("hearer")]
    return [json.loads(claw.output(f"hearer/{one}.out"))["data"] for one in found]


def test_what_a_process_shows_of_itself_is_found(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master("")
    said, variable = secrets.token_hex(8), secrets.token_hex(8)
    words = [sys.executable, "-c", "import sys; sys.stdin.read()", f"--password={said}"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, env={"X": variable}) as shown:
        found = dict(things(claw, tmp_path))
        shown.communicate()

    assert said.encode() in found[f"argv of {shown.pid}"]
    assert variable.encode() in found[f"environment of {shown.pid}"]


def things(claw: MasterUnderTest, tmp_path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield all files of claw's, and what processes that are no child show of themselves."""
    for path in [tmp_path / "told", *claw.folder.rglob("*")]:
        if path.is_file() and path.parent.name != "leaky":
            yield str(path), path.read_bytes()
    for name in files.names_in("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            words = process.environment_of(int(name))
            is_child = any(word.startswith(b"CLAW_RUN_ID=") for word in words)
            yield f"environment of {name}", b"" if is_child else b"\0".join(words)
            yield f"argv of {name}", argv_of(name)


def argv_of(pid: str) -> bytes:
    try:
        return files.read_all(f"/proc/{pid}/cmdline")
    except OSError:
        return b""


def replies(claw: MasterUnderTest, *runs: str) -> Iterator[tuple[str, str]]:
    """Yield what the methods that read answer."""
    asked: list[tuple[str, dict[str, Any]]] = [
        ("job.status", {"verbose": True}), ("job.definition", {"job": "web"}), ("run.list", {}),
        ("event.list", {"from": 0}), ("alert.list", {"all": True}), ("delivery.list", {}),
        ("secret.list", {}), ("daemon.status", {}), ("job.why", {"target": "web"}),
    ]  # fmt: skip
    for run in runs:
        asked += [("run.show", {"run": run}), ("run.result", {"run": run})]
        asked += [("run.output", {"run": run, "stream": one}) for one in ("stdout", "stderr")]
        asked += [("log.read", {"target": run})]
    for method, params in asked:
        yield method, supervision.encode(claw.call(method, **params)).decode()
