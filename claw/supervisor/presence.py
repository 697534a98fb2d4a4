"""How a supervisor is found: a folder with its heartbeat and its socket."""

from claw.kernel import files, ticks
from claw.kernel.bare import os
from claw.supervisor.control import Control


class Presence:
    """Keeps the folder as it should be, whoever clears it away.

    Attributes:
        due_b: Boot time of the next beat, seconds.
    """

    __slots__ = ("_control", "_every_s", "_folder", "due_b")

    def __init__(self, folder: str, every_s: float, control: Control) -> None:
        self._folder = folder
        self._every_s = every_s
        self._control = control
        self.due_b = 0.0

    def beat(self) -> None:
        """Touch the heartbeat; make folder and socket again if someone took them."""
        self.due_b = ticks.boottime() + self._every_s
        try:
            files.make_folder(self._folder)
            files.touch(f"{self._folder}/heartbeat")
            if not self._control.is_reachable():
                self._control.listen(f"{self._folder}/control.sock")
        except OSError:
            return  # the next beat tries again

    def leave(self) -> None:
        """Take the folder away."""
        self._control.close()
        try:
            files.remove(f"{self._folder}/heartbeat")
            os.rmdir(self._folder)
        except OSError:
            return
