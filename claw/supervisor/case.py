"""One run under supervision: what the parts of a supervisor share."""

from claw.kernel import ticks
from claw.kernel.pidfd import Exit
from claw.supervisor import machine
from claw.supervisor.console import Console
from claw.supervisor.control import Control, Peer
from claw.supervisor.custody import Custody
from claw.supervisor.handed import Handed
from claw.supervisor.loop import Loop
from claw.supervisor.notify import Notices
from claw.supervisor.outfile import OutputFile
from claw.supervisor.output import Stream
from claw.supervisor.spool import Spool
from claw.supervisor.tree import Tree
from claw.wire.supervision import Launch, Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TELL_S = 0.05
"""How long word of a begin may wait for word of the end."""


class Case:
    """The run, its journal, its child and tree, and who listens.

    Attributes:
        ended_as: How the present child ended; None while it lives, or when there is none.
        free: Returns the version of this supervisor if it would take another run, else "".
        has_left_something: Whether a run's end has left processes of its tree behind.
        is_plain: What the launch says of itself; so ``is_simple``.
        tells_b: When the master is told of what the journal has to say, boot time.
        withdraw: Called with why the launch is not to begin; False: it has, or begins at once.
    """

    __slots__ = (
        "console", "control", "custody", "ended_as", "free", "handed", "has_left_something",
        "is_plain", "is_simple", "launch", "loop", "notices", "spool", "state", "streams",
        "tells_b", "tree", "withdraw",
    )  # fmt: skip

    def __init__(
        self,
        launch: Launch,
        handed: Handed,
        handle: "Callable[[Peer, Message], Message | None]",
        on_end: "Callable[[], None]",
    ) -> None:
        self.launch = launch
        self.is_plain, self.is_simple = launch.is_plain, launch.is_simple
        self.handed = handed
        self.state = machine.Supervision(launch)
        self.spool = Spool(launch.spool)
        self.loop = Loop()
        self.control = Control(self.loop, handle)
        self.tree = Tree(launch.run, launch.kill_mode, [*launch.cgroups])
        self.notices = Notices(handed.kept)
        self.ended_as: Exit | None = None
        self.free: Callable[[], str] = str
        self.withdraw: Callable[[str], bool] = _has_begun
        self.has_left_something = False
        self.tells_b: float | None = None
        self.streams = [
            Stream(pipe, OutputFile(path, launch, self._tell_rotated), self.loop)
            for pipe, path in zip(
                handed.outputs, (launch.out_path, launch.err_path), strict=False
            )
        ]

        self.console = Console(handed, self.streams[0], self.loop)

        def ended(how: Exit) -> None:
            self.ended_as = how
            on_end()

        self.custody = Custody(self.loop, ended)

    def begin_run(self, launch: Launch) -> None:
        """Turn to another run, which is on record; the one before is over."""
        self.launch = launch
        self.is_plain, self.is_simple = launch.is_plain, launch.is_simple
        oom = self.state.oom
        self.state = machine.Supervision(launch)
        self.state.oom = oom
        self.tree.turn_to(launch.run, launch.kill_mode, [*launch.cgroups])
        for stream, path in zip(self.streams, (launch.out_path, launch.err_path), strict=False):
            stream.flow_into(OutputFile(path, launch, self._tell_rotated))
        self.tell_soon()

    def retry(self, now_b: float) -> None:
        """Go on with what waited for room, or for a descriptor, when it is time."""
        for stream in self.streams:
            if stream.retry_b is not None:
                stream.retry(now_b)
        if self.console.retry_b is not None:
            self.console.retry(now_b)
        if self.custody.retry_b is not None:
            self.custody.retry(now_b)

    def retries_b(self) -> list[float]:
        """Return the times at which `retry` has something to do."""
        times = [stream.retry_b for stream in self.streams]
        times += self.console.retry_b, self.custody.retry_b
        return [one for one in times if one is not None]

    def _tell_rotated(self, path: str) -> None:
        self.control.tell({"ev": "rotated", "path": path})

    @property
    def is_child_up(self) -> bool:
        """Whether the child is there, as far as is known."""
        return self.state.phase == machine.UP and self.ended_as is None

    def write(self, line: Message, *, durable: bool) -> None:
        """Append a line to the journal, fold it, and tell whoever listens.

        Raises:
            OSError: The disk is full or fails; nothing is folded.
        """
        self.spool.append(line, durable=durable)
        self.state.apply(line)
        self.tell_growth()

    def note(self, line: Message) -> None:
        """Fold a line that is true whatever the disk says, and write it when that takes it."""
        self.spool.owe(line)
        self.state.apply(line)
        try:
            self.pay()
        except OSError:
            return  # it is owed
        self.tell_growth()

    def pay(self) -> None:
        """Write what is owed to the journal; nothing goes on before that.

        Raises:
            OSError: The disk is still full.
        """
        size = self.spool.size
        self.spool.mend()
        if self.spool.size != size:
            self.tell_soon()

    def tell_soon(self) -> None:
        """Have the master told in a moment: a short run is told of once, at its end.

        Of a service it is told at once: who starts one may want to signal it.
        """
        if self.launch.is_service:
            self.tell_growth()
        elif self.tells_b is None:
            self.tells_b = ticks.boottime() + TELL_S

    def tell_growth(self) -> None:
        """Tell the master that there is more to read."""
        self.tells_b = None
        self.spool.note_growth()
        message = {"ev": "journal", "size": self.spool.size}
        if version := self.free():
            message["free"] = version
        self.control.tell(message)


def _has_begun(_why: str) -> bool:
    """Withdraw nothing: it has begun, or begins at once."""
    return False
