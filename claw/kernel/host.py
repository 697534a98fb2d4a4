"""What names the machine, over boots: machine-id(5), and for people."""

import hashlib
import os

from claw.kernel import files

_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id", "/etc/hostname")


def host_id() -> str:
    """Return a text that is the same on this machine always, and on no other.

    It is a hash: machine-id(5) asks that the id itself be shown to nobody. Where a machine
    has none, its name has to do; '' where it has neither.
    """
    for path in _FILES:
        try:
            text = files.read_all(path).decode(errors="replace").strip()
        except OSError:
            continue
        if text and text != "uninitialized":
            return hashlib.sha256(f"claw {text}".encode()).hexdigest()[:32]
    return ""


def name() -> str:
    """Return what the machine is called (uname(2))."""
    return os.uname().nodename
