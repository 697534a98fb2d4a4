"""Where the files of one claw lie: the home, as architecture.md draws it.

Plain strings and a plain class, because ``clawctl`` loads this before anything else.
"""

from collections.abc import Mapping

TOKEN_FILE = "CLAW_TOKEN_FILE"  # noqa: S105
"""Names the file with the token for a master that asks for one (`[control] token_file`)."""


class Home:
    """The four folders of one claw, and the fixed places in them.

    Of another host's claw only the address is known (`claw.client.remote`).
    """

    __slots__ = ("config", "folder", "log", "remote", "run", "state")

    def __init__(
        self,
        *,
        config: str,
        state: str,
        run: str,
        log: str,
        folder: str | None = None,
        remote: str = "",
    ) -> None:
        self.remote = remote  # the address; empty: it is on this host
        self.folder = folder  # that all of it lies under: what CLAW_HOME means
        self.config = config
        self.state = state
        self.run = run
        self.log = log

    @property
    def control_socket(self) -> str:
        """The master's socket, or the address that stands in its place."""
        return self.remote or f"{self.run}/control.sock"

    @property
    def job_socket(self) -> str:
        """The master's socket for the children of runs, whoever they run as."""
        return f"{self.run}/job/claw.sock"

    @property
    def token_key(self) -> str:
        """What the tokens of runs are made with; for the master's eyes only."""
        return f"{self.state}/tokens.key"

    @property
    def secrets(self) -> str:
        """Which secrets there are; the values that no keyring of the system keeps, sealed."""
        return f"{self.state}/secrets.json"

    @property
    def secrets_key(self) -> str:
        """What those are sealed with, when nobody has given a key."""
        return f"{self.state}/secrets.key"

    @property
    def keyring_service(self) -> str:
        """What this home is called in a keyring, so that homes do not mix."""
        return f"claw:{self.folder or self.state}"

    @property
    def restart_mark(self) -> str:
        """Made by an init script that ends the master only to start it again."""
        return f"{self.run}/restarting"

    @property
    def database(self) -> str:
        """The SQLite file."""
        return f"{self.state}/claw.db"

    @property
    def backups(self) -> str:
        """Folder of backups, and of the copies of the database from before each upgrade."""
        return f"{self.state}/backup"

    @property
    def restoring(self) -> str:
        """There while the home is being restored; names the backup."""
        return f"{self.state}/restoring"

    @property
    def master_lock(self) -> str:
        """Held by flock(2) by the one master of this home."""
        return f"{self.state}/clawd.lock"

    @property
    def spool(self) -> str:
        """Folder of the supervisors' journals."""
        return f"{self.state}/spool"

    @property
    def event_spool(self) -> str:
        """Folder of files that are taken in as events."""
        return f"{self.state}/events"

    @property
    def forward(self) -> str:
        """Folder that says how far output has been forwarded."""
        return f"{self.state}/forward"

    @property
    def launches(self) -> str:
        """Folder of the exclusive launch files."""
        return f"{self.state}/launch"

    @property
    def daemon_log(self) -> str:
        """What the master has to say."""
        return f"{self.log}/clawd.log"

    @property
    def audit_log(self) -> str:
        """Every change, with who made it."""
        return f"{self.log}/audit.log"

    def forkserver_socket(self, version: str) -> str:
        """Where the fork server of one version listens."""
        return f"{self.run}/forkserver-{version}.sock"

    def supervisor_run(self, sid: str) -> str:
        """Heartbeat and control socket of one supervisor."""
        return f"{self.run}/sup/{sid}"

    @property
    def jobs(self) -> str:
        """Folder of what a child may write to: a folder for each that runs as another user."""
        return f"{self.run}/job"

    @property
    def own_results(self) -> str:
        """Folder of the result files of children that run as the daemon's user."""
        return f"{self.jobs}/own"

    def job_log(self, job: str) -> str:
        """Folder of one job's output."""
        return f"{self.log}/{job}"


def at_folder(folder: str) -> Home:
    """Return the home that lies wholly under one folder (CLAW_HOME, ``up``)."""
    return Home(
        config=f"{folder}/config",
        state=f"{folder}/state",
        run=f"{folder}/run",
        log=f"{folder}/log",
        folder=folder,
    )


def of_host(address: str) -> Home:
    """Return the home of a master on another host."""
    nowhere = "/nonexistent"
    return Home(config=nowhere, state=nowhere, run=nowhere, log=nowhere, remote=address)


def of_system() -> Home:
    """Return root's home, the system's."""
    return Home(config="/etc/claw", state="/var/lib/claw", run="/run/claw", log="/var/log/claw")


def of_user(env: Mapping[str, str]) -> Home:
    """Return a user's home by the XDG Base Directory Specification."""
    home = env.get("HOME", "/")
    config = env.get("XDG_CONFIG_HOME") or f"{home}/.config"
    state = env.get("XDG_STATE_HOME") or f"{home}/.local/state"
    runtime = env.get("XDG_RUNTIME_DIR")
    return Home(
        config=f"{config}/claw",
        state=f"{state}/claw",
        run=f"{runtime}/claw" if runtime else f"{state}/claw/run",
        log=f"{state}/claw/log",
    )


def choose(env: Mapping[str, str], uid: int) -> Home:
    """Return the home that these environment variables and this user id mean."""
    folder = env.get("CLAW_HOME")
    if folder:
        return at_folder(folder.rstrip("/") or "/")
    return of_system() if uid == 0 else of_user(env)
