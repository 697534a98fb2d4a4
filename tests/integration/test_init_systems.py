"""clawd under real init systems other than systemd: it is kept up, restarted and stopped."""

import contextlib
import os
import plistlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.boot import systems
from claw.boot.systems import Program
from claw.errors import ClawError
from claw.kernel import process
from tests.kit.master import PATIENCE_S, ROOT, MasterUnderTest, kill_process

CONFIG = """
[jobs.web]
type = "continuous"
command = "sleep 1000"
"""
CONTRIB = ROOT / "contrib"


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [name for name in programs if shutil.which(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


class Supervised(MasterUnderTest):
    """A master that an init system starts; what it is told goes through that."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "home")
        self.configure(CONFIG)
        (self.folder / "stderr").touch()
        self.beside = folder
        words = (sys.executable, "-P", "-m", "claw")
        here = ("--home", str(self.folder))
        self.target = Program(
            clawd=(*words, "clawd", *here), clawctl=(*words, *here), run=self.home.run
        )

    def put(self, template: str, path: Path, mode: int = 0o755) -> None:
        """Write one of the init system's files."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(systems.render(template, self.target))
        path.chmod(mode)

    def init(self, *words: str) -> None:
        """Start the init system."""
        with (self.folder / "stderr").open("ab") as said:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                env=self.environment, cwd=self.beside, start_new_session=True,
            )  # fmt: skip

    def tell(self, *words: str, status: int | None = 0) -> str:
        """Run a command of the init system and return what it says."""
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, env=self.environment,
            timeout=2 * PATIENCE_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert status is None or done.returncode == status, (words, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def master(self) -> int:
        """Wait until a master answers, and return its pid."""

        def pid() -> int:
            try:
                return int(self.call("daemon.status")["pid"])
            except ClawError:
                return 0

        return self.wait_until(pid, "master")

    def web(self) -> int:
        """Wait until the service runs, and return its pid."""
        self.master()
        return int(self.wait_state("web", "running")["pid"])

    def next_master(self, old: int) -> int:
        """Wait for another master, and return its pid."""
        self.client.close()
        return self.wait_until(lambda: (pid := self.master()) != old and pid, "next master")

    def kill_master(self) -> None:
        """Kill it; the init system starts another, which finds the service as it was."""
        child, old = self.web(), self.master()
        assert kill_process(old)
        assert self.next_master(old)
        assert self.web() == child


@pytest.fixture
def claw(tmp_path: Path) -> Iterator[Supervised]:
    made = Supervised(tmp_path)
    yield made
    made.client.close()
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait(PATIENCE_S)
        made.process = None
        made.end()
    made.wait_until(lambda: not made.leftovers(), "end of everything")


@needs("runsvdir", "sv")
def test_runit_restarts_without_ending_jobs_and_stops_with_them(claw: Supervised) -> None:
    services = claw.beside / "sv"
    claw.put("runit.run", services / "claw/run")
    claw.init("runsvdir", "-P", str(services))
    service = str(services / "claw")
    child, old = claw.web(), claw.master()

    claw.tell("sv", "restart", service)
    assert claw.next_master(old)
    assert claw.web() == child
    claw.kill_master()
    claw.tell("sv", "-w", "60", "stop", service)

    assert process.is_zombie(child)
    assert claw.tell("sv", "status", service, status=None).startswith("down:")
    claw.client.close()
    claw.tell("sv", "start", service)
    again = claw.web()
    assert claw.process is not None
    claw.process.send_signal(signal.SIGHUP)  # ends runsvdir and all services
    claw.process.wait(PATIENCE_S)
    claw.wait_until(lambda: process.is_zombie(again), "end of the job")


@needs("s6-svscan", "s6-svc", "s6-svwait", "s6-svstat")
def test_s6_is_told_of_readiness_and_restarts_without_ending_jobs(claw: Supervised) -> None:
    services = claw.beside / "scan"
    claw.put("s6.run", services / "claw/run")
    claw.put("s6.notification-fd", services / "claw/notification-fd", 0o644)
    claw.init("s6-svscan", str(services))
    service = str(services / "claw")
    claw.wait_until((services / "claw/supervise/status").exists, "s6-supervise")

    claw.tell("s6-svwait", "-U", "-t", "30000", service)
    assert claw.call("daemon.status")["pid"]  # at once: it is ready
    child, old = claw.web(), claw.master()
    claw.tell("s6-svc", "-r", service)
    assert claw.next_master(old)
    assert claw.web() == child
    claw.tell("s6-svwait", "-U", "-t", "30000", service)
    old = claw.call("daemon.restart")
    claw.client.close()
    claw.wait_until(lambda: claw.call("daemon.status")["started_at"] != old["started_at"], "it")
    assert claw.tell("s6-svstat", "-o", "pid,ready", service).split() == [
        str(old["pid"]),
        "true",
    ]
    claw.kill_master()
    claw.tell("s6-svc", "-wD", "-T", "60000", "-d", service)

    assert process.is_zombie(child)
    claw.tell("s6-svscanctl", "-t", str(services))
    assert claw.process is not None
    claw.process.wait(PATIENCE_S)


OPENRC = """
mount -t tmpfs tmpfs /run && mount -t proc proc /proc && mkdir /run/openrc && cd /run/openrc &&
mkdir starting started stopping inactive wasinactive failed hotplugged daemons options \
    exclusive scheduled tmp &&
echo default >softlevel && mount --bind "$1" /etc/init.d && cd / && touch /run/booted || exit 1
trap : CHLD
while :; do sleep 0.2; done
"""


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: /run is replaced")
@needs("openrc-run", "rc-service", "supervise-daemon", "unshare", "nsenter")
def test_openrc_restarts_without_ending_jobs_and_stops_with_them(claw: Supervised) -> None:
    scripts = claw.beside / "init.d"
    shutil.copytree("/etc/init.d", scripts, symlinks=True)
    claw.put("openrc", scripts / "claw")
    namespaces = ["--fork", "--pid", "--mount", "--propagation", "private", "--kill-child"]
    claw.init("unshare", *namespaces, "bash", "-c", OPENRC, "bash", str(scripts))
    assert claw.process is not None
    [first] = claw.wait_until(lambda: process.children_of(claw.pid), "namespace")
    claw.wait_until(Path(f"/proc/{first}/root/run/booted").exists, "namespace that is set up")
    enter = ("nsenter", "-t", str(first), "--pid", "--mount", "rc-service", "claw")

    claw.tell(*enter, "start")
    child, started = claw.web(), claw.call("daemon.status")["started_at"]
    assert "status: started" in claw.tell(*enter, "status")
    claw.client.close()
    claw.tell(*enter, "restart")
    assert claw.web() == child
    assert claw.call("daemon.status")["started_at"] != started
    renewed = claw.call("daemon.status")["started_at"]
    claw.tell(*enter, "upgrade")
    claw.client.close()
    assert claw.web() == child
    assert claw.call("daemon.status")["started_at"] != renewed
    master = outside(first, claw.master())
    assert kill_process(master)
    claw.client.close()
    assert claw.web() == child
    claw.tell(*enter, "stop")

    assert [one for one in process.descendants_of(first) if is_web(one)] == []
    claw.process.kill()
    claw.process.wait(PATIENCE_S)


def outside(first: int, inner: int) -> int:
    """Return the pid that a process of a PID namespace has outside of it."""
    for pid in process.descendants_of(first):
        status = Path(f"/proc/{pid}/status").read_text()
        if f"\nNSpid:\t{pid}\t{inner}\n" in status:
            return pid
    raise AssertionError(inner)


def is_web(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x001000\x00"
    return False


def test_a_sysvinit_script_starts_restarts_and_stops(claw: Supervised) -> None:
    script = claw.beside / "claw"
    claw.put("sysvinit", script)

    assert claw.tell(str(script), "status", status=3)
    claw.tell(str(script), "start")
    child, pid = claw.web(), claw.master()
    claw.client.close()
    assert "was restarted" in claw.tell(str(script), "restart")
    assert (claw.web(), claw.master()) == (child, pid)
    claw.tell(str(script), "try-restart")
    claw.tell(str(script), "reload")
    assert "runs" in claw.tell(str(script), "status")
    claw.tell(str(script), "stop")

    assert process.is_zombie(child)
    claw.tell(str(script), "try-restart")
    assert "usage:" in claw.tell(str(script), "dance", status=2)


# -- the files themselves ------------------------------------------------------------------


@needs("systemd-analyze")
@pytest.mark.parametrize("scope", ["system", "user"])
def test_systemd_finds_nothing_to_say_about_its_units(scope: str, tmp_path: Path) -> None:
    for unit in (CONTRIB / "systemd" / scope).iterdir():
        text = unit.read_text().replace("/usr/bin/clawd", "/bin/true")  # it has to be there
        (tmp_path / unit.name).write_text(text)

    units = sorted(str(unit) for unit in tmp_path.iterdir())
    done = subprocess.run(
        ["systemd-analyze", f"--{scope}", "verify", "--man=no", *units],
        capture_output=True, text=True, check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


@needs("systemd-sysusers", "systemd-tmpfiles")
def test_systemd_understands_the_users_and_folders(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    root = f"--root={tmp_path}"
    for program, file in (("sysusers", "sysusers.d"), ("tmpfiles", "tmpfiles.d")):
        words = [f"systemd-{program}", root, str(CONTRIB / "systemd" / file / "claw.conf")]
        if program == "tmpfiles":
            words.insert(1, "--create")
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    assert "claw:" in (tmp_path / "etc/passwd").read_text()
    assert (tmp_path / "var/lib/claw").stat().st_mode & 0o777 == 0o700


@needs("shellcheck")
def test_shellcheck_finds_nothing_in_the_scripts() -> None:
    scripts = sorted(str(CONTRIB / name) for name in systems.EXECUTABLES)

    done = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_the_files_of_contrib_have_their_modes() -> None:
    for name in systems.CONTRIB:
        is_program = bool((CONTRIB / name).stat().st_mode & 0o111)
        assert is_program == (name in systems.EXECUTABLES), name


def test_the_plist_is_one() -> None:
    found = plistlib.loads((CONTRIB / "launchd/claw.plist").read_bytes())

    assert found["ProgramArguments"] == ["/usr/bin/clawd", "--user"]
