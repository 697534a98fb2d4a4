"""Who still has what a run needs: master, fork server and supervisor are its three keepers.

claw promises that nothing is lost while one of them is left (docs/architecture.md); a
campaign of kills asks here whom it may kill next.
"""

from claw.client.client import Client
from claw.errors import ClawError
from tests.kit.master import MasterUnderTest
from tests.kit.roll import are_all_known, fork_server_of


class Keepers:
    """What is known of them, from kills and from looking.

    Attributes:
        is_fork_server_whole: It knows every run, and each has a supervisor.
        is_master_whole: It has copies of every run.
    """

    def __init__(self, claw: MasterUnderTest) -> None:
        self._claw = claw
        self._client = Client(claw.home)
        self.is_fork_server_whole = False
        self.is_master_whole = False
        self._are_supervisors_whole = True  # none was killed that is not replaced

    def look(self) -> None:
        """See who has come to be whole again."""
        try:
            pid = self._client.call("daemon.status")["fork_server_pid"]
        except ClawError:
            return
        home = self._claw.home
        if pid == fork_server_of(home) and are_all_known(home):
            self.is_fork_server_whole = True
            self.is_master_whole = True
            self._are_supervisors_whole = True

    def close(self) -> None:
        """Let go of the master."""
        self._client.close()

    @property
    def may_kill_master(self) -> bool:
        """Whether others keep every run."""
        return self.is_fork_server_whole or self._are_supervisors_whole

    @property
    def may_kill_fork_server(self) -> bool:
        """Whether others keep every run."""
        return self.is_master_whole or self._are_supervisors_whole

    @property
    def may_kill_supervisors(self) -> bool:
        """Whether others keep every run."""
        return self.is_master_whole or self.is_fork_server_whole

    def master_died(self) -> None:
        """It was killed: the next one has to fetch copies."""
        self.is_master_whole = False

    def fork_server_died(self) -> None:
        """It was killed: the next one has to be told."""
        self.is_fork_server_whole = False

    def supervisor_died(self) -> None:
        """One was killed: until it is replaced, its run has two keepers at most."""
        self._are_supervisors_whole = False
