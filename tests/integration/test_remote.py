"""Other hosts' masters by a real sshd: one, several, streams, and what goes wrong."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import sshd
from tests.kit.clawctl import ROOT, Shell, command_line
from tests.kit.master import MasterUnderTest, master

CONFIG = """
[jobs.web]
type = "continuous"
command = "sleep 1000"
[jobs.hello]
command = "echo hello from afar"
"""

pytestmark = pytest.mark.skipif(bool(sshd.MISSING), reason=sshd.MISSING or "-")


class Place:
    """A master, the host that it is on, and a shell elsewhere."""

    def __init__(self, claw: MasterUnderTest, at: str, ssh: str, program: Path) -> None:
        self.claw = claw
        self.label = at
        self.host = f"ssh://{at}{program}"
        self.again = f"ssh://root@{at}{program}"
        self.shell = Shell({"CLAW_SSH": ssh, "CLAW_HOME": "/nonexistent"})


@pytest.fixture(name="place", scope="module")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("remote")
    program = folder / "clawctl"
    program.write_text(f'#!/bin/sh\nexec {" ".join(command_line(()))} "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    with master(folder / "home", CONFIG) as claw:
        environ = {"CLAW_HOME": str(claw.folder), "PYTHONPATH": str(ROOT)}
        with sshd.serving(folder / "sshd", environ) as (at, ssh):
            yield Place(claw, at, ssh, program)


def test_a_command_is_for_the_master_of_another_host(place: Place) -> None:
    said = place.shell("-H", place.host, "status", "--json").json

    assert [one["name"] for one in said["jobs"]] == ["hello", "web"]
    run = place.shell("-H", place.host, "run", "hello", "--wait", "--follow")
    assert "hello from afar" in run.out
    place.shell("-H", place.host, "wait", "web", "--for", "running")
    lines = Path(place.claw.home.audit_log).read_text()
    assert f'"uid":{os.geteuid()}' in lines


def test_the_environment_may_name_the_host(place: Place) -> None:
    shell = Shell({**place.shell.environ, "CLAW_HOST": place.host})

    assert "web" in shell("status").out
    said = shell("daemon", "stop", status=1).fault
    assert "`clawctl daemon stop` works only where the daemon is: ssh ssh://" in said
    assert "unset CLAW_HOST" in said


def test_several_hosts_answer_side_by_side_and_the_worst_counts(place: Place) -> None:
    both = ("-H", place.host, "-H", place.again)

    lines = place.shell(*both, "status").lines
    assert {line.split()[0] for line in lines} == {place.label, f"root@{place.label}"}
    found = place.shell(*both, "status", "--json").json
    assert [*found["hosts"]] == [place.label, f"root@{place.label}"]
    assert all(len(one["jobs"]) == 2 for one in found["hosts"].values())
    away = place.shell("-H", f"{place.host},ssh://127.0.0.1:1", "status", "--json", status=7)
    assert len(away.json["hosts"][place.label]["jobs"]) == 2
    assert away.json["hosts"]["127.0.0.1:1"]["exit_status"] == 7
    assert "Connection refused" in away.json["hosts"]["127.0.0.1:1"]["error"]
    assert away.fault.startswith("clawctl: 127.0.0.1:1: ")


def test_events_of_several_hosts_come_as_they_happen(place: Place) -> None:
    with place.shell.begin(
        "-H", place.host, "-H", place.again, "events", "-f", "--json", "--from", "0"
    ) as going:
        going.wait_text(f'"host": "{place.label}"')
        going.wait_text(f'"host": "root@{place.label}"')


@pytest.mark.parametrize(
    ("host", "status", "says"),
    [
        ("ssh://127.0.0.1:1", 7, "127.0.0.1:1: ssh: connect to host 127.0.0.1 port 1: "),
        ("ssh://{at}", 7, "not found: install claw there, or say where it is: ssh://"),
        ("tcp://{at}", 2, "is no host: write ssh://USER@HOST"),
        ("ssh://-oProxyCommand=x", 2, "is no host: write ssh://USER@HOST"),
        ("", 2, "-H needs a host"),
    ],
)
def test_what_goes_wrong_is_one_line_that_names_the_host(
    place: Place, host: str, status: int, says: str
) -> None:
    said = place.shell("-H", host.format(at=place.label), "status", status=status)

    assert says in said.fault


def test_an_error_of_the_master_and_of_its_host_names_the_host(place: Place) -> None:
    said = place.shell("-H", place.host, "stop", "nope", status=4).fault
    assert said.startswith(f"clawctl: {place.label}: no job or run 'nope': ")
    said = place.shell("-H", place.host, "--home", "/nonexistent", "status", status=7).fault
    assert said.startswith(f"clawctl: {place.label}: the daemon is not running: there is no")


@pytest.mark.parametrize(
    "words", ["run -- id", "init", "daemon start", "job edit web", "up", "config validate"]
)
def test_what_is_of_one_host_alone_says_so(place: Place, words: str) -> None:
    said = place.shell("-H", place.host, *words.split(), status=1).fault

    assert "works only where the daemon is: ssh ssh://" in said


def test_proxy_passes_on_what_comes_until_both_ends_are_done(place: Place) -> None:
    shell = Shell({"CLAW_HOME": str(place.claw.folder)})

    said = shell.sh('echo \'{"jsonrpc":"2.0","id":7,"method":"hello"}\' | $CLAWCTL proxy')

    assert '"id":7' in said.out
    assert place.shell("-H", place.host, "proxy", status=1).fault
