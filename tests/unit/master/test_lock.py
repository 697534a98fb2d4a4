"""The lock of a home: whose it is, and who is waited for."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from claw.errors import StoreLockedError
from claw.kernel import files, process
from claw.master import main
from claw.model import home as homes

SHORT_S = 0.3


def test_a_lock_that_what_a_killed_master_was_forking_still_holds_is_waited_for(
    tmp_path: Path,
) -> None:
    home = homes.at_folder(str(tmp_path))
    files.make_folder(home.state)
    gone = subprocess.Popen(["true"])
    gone.wait()
    held = files.open_lock(home.master_lock)
    assert files.try_lock(held)
    os.write(held, b"%d\n" % gone.pid)
    letting_go = threading.Timer(SHORT_S, os.close, (held,))
    letting_go.start()

    fd = main._take_lock(home)

    letting_go.join()
    assert files.is_locked(home.master_lock)
    os.close(fd)


def test_a_lock_that_a_living_master_holds_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = homes.at_folder(str(tmp_path))
    files.make_folder(home.state)
    name = process.command_of(os.getpid())
    monkeypatch.setattr(main, "_LOCK_PATIENCE_S", float("inf"))
    held = files.open_lock(home.master_lock)
    assert files.try_lock(held)
    os.write(held, b"%d\n" % os.getpid())
    process.set_name("clawd")
    try:
        with pytest.raises(StoreLockedError, match=f"pid {os.getpid()}"):
            main._take_lock(home)
    finally:
        process.set_name(name)
        os.close(held)
