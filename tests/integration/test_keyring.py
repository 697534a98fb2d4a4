"""A desktop's keyring on a D-Bus of its own: the Secret Service as gnome-keyring has it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from claw.model.home import at_folder
from claw.model.secrets import Settings
from claw.secrets.vault import vault_of
import os
vault = vault_of(at_folder(sys.argv[1]), Settings, os.environ)
vault.set("A", "hunter2")
assert vault.value("A") == "hunter2"
assert vault.entries()["A"].sealed is None, "it is in the keyring"
other = vault_of(at_folder(sys.argv[1] + "/other"), Settings, os.environ)
os.makedirs(sys.argv[1] + "/other/state")
other.set("A", "swordfish")
assert vault.value("A") == "hunter2", "homes do not mix"
vault.delete("A")
assert not vault.entries()
"""
UNLOCK = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; exec "


@pytest.mark.skipif(
    not (shutil.which("gnome-keyring-daemon") and shutil.which("dbus-run-session")),
    reason="gnome-keyring and dbus are not installed",
)
def test_the_keyring_of_a_session_is_taken_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "run").mkdir(mode=0o700)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    words = f'{UNLOCK}"$@"'
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", words, "sh", sys.executable, "-c", SCRIPT,
         str(tmp_path)],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
