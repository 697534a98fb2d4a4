"""A supervisor whose run is over takes another: no interpreter is forked for a short run.

It says that it is free with the end of its run, and waits a moment. The next launch comes over
the master's link and goes into the memory that all keepers of this supervisor share; then its
``launch`` line begins another run in the same journal. One that is killed before that line has
begun nothing; after it, its replacement finds in the memory what the line is about.

That line is all that says so, where a first run has a launch file: nobody but this supervisor
may begin the attempt, since the claim names it, and whoever takes that back has its lock first
and reads its journal (`claw.master.supervision.adopt`).
"""

from claw import __version__
from claw.kernel import files, memory, process, ticks
from claw.kernel.bare import os
from claw.supervisor import entries, machine
from claw.supervisor.case import Case
from claw.wire import supervision
from claw.wire.supervision import MEMORY, Launch, Message

FREE_S = 2.0
"""So long one waits for another run; the master offers none to one that has waited long."""
MOST_RUNS = 250
"""Of one supervisor: its journal is read whole when it is replaced, and it grows a little."""


class Warm:
    """Takes the next launch for a case whose run is over."""

    __slots__ = ("_asked", "_case", "_is_leaving", "_runs")

    def __init__(self, case: Case) -> None:
        self._case = case
        self._asked: Message | None = None
        self._is_leaving = False
        self._runs = 1
        case.free = self.free

    def free(self) -> str:
        """Return this version if another run would be taken, else nothing."""
        case = self._case
        is_free = (
            case.state.phase == machine.ENDED
            and case.is_plain
            and case.state.stop is None
            and not case.has_left_something
            and not case.spool.is_in_debt
            and case.handed.relay_fd < 0
            and case.handed.foster_fd < 0
            and os.getppid() == case.handed.parent
            and self._runs < MOST_RUNS
            and not self._is_leaving
        )
        return __version__ if is_free else ""

    def leave(self) -> None:
        """Take no other run."""
        self._is_leaving = True

    def ask(self, message: Message) -> Message | None:
        """Take note of the next launch, or refuse it."""
        is_for_later = message["launch"].get("begin_at", 0.0) > ticks.wall()
        if self._asked is None and self.free() and not is_for_later:
            self._asked = message
        else:
            self._refuse(message, "it is not free", retryable=True)
        return None

    def go_on(self) -> bool:
        """Wait for another run and begin it; False: there is none."""
        case = self._case
        until_b = ticks.boottime() + FREE_S
        while self._asked is None:
            if not (self.free() and case.control.peers) or ticks.boottime() >= until_b:
                case.control.catch_up()  # what has been asked by now is not lost
                break
            try:
                case.loop.turn(until_b)
            except OSError:  # what a ready descriptor says: it is no time to take more on
                self.leave()
        message, self._asked = self._asked, None
        return message is not None and self._begin(message)

    def _begin(self, message: Message) -> bool:
        case = self._case
        try:
            data = supervision.encode(message["launch"])
            launch = Launch.of(message["launch"])
            memory.rewrite(case.handed.kept[MEMORY], data)
            _put_on_record(case, launch)
        except FileExistsError as error:
            self._refuse(message, f"launch file: {error}", retryable=False)
            return False
        except (OSError, KeyError, TypeError, ValueError) as error:
            self._refuse(message, f"{type(error).__name__}: {error}", retryable=True)
            return False
        self._runs += 1
        if launch.job != case.launch.job:
            process.set_name(f"claw:{launch.job}")
        case.begin_run(launch)
        return True

    def _refuse(self, message: Message, error: str, *, retryable: bool) -> None:
        launch = message["launch"]
        about = {"run": launch["run"], "attempt": launch["attempt"]}
        self._case.control.tell(
            {"ev": "refused", **about, "error": error, "retryable": retryable}
        )


def _put_on_record(case: Case, launch: Launch) -> None:
    """Begin the run in the journal.

    Raises:
        OSError: It cannot be begun now, and has not.
        FileExistsError: Another has begun it: the database has gone back since.
    """
    path = f"{launch.launch_dir}/{launch.run}.{launch.attempt}"
    if files.exists(path):
        raise FileExistsError(path)
    case.spool.append(entries.first(launch), durable=False)
