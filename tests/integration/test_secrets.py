"""Secrets as people use them: kept by ``clawctl secret``, and in what a job is started with."""

import os
import shlex
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claw.kernel import process
from tests.kit.clawctl import Said, Shell
from tests.kit.master import MasterUnderTest, master

FIRST, SECOND, THIRD = "first-Xq7", "second-Wz4", "third-Kp9"
CONFIG = """
[jobs.web]
command = "sh -c 'echo with $TOKEN; exec sleep 600'"
type = "continuous"
env = { TOKEN = "Bearer ${secret:WEB_TOKEN}" }
restart = { policy = "always", delays = ["0s"] }

[jobs.once]
command = "sh -c 'echo $A/$B/$C/$D'"
env = { A = "${secret:OTHER}", B = "${env:BESIDE}", C = "$${secret:OTHER}", D = "${file:KEY}" }

[jobs.hiding]
command = "sh -c 'echo $A/'"
env = { A = "${secret:HIDDEN}" }
log = { mask_secrets = true }

[jobs.user]
command = "true"
env = { A = "${secret:USED}", B = "${secret:MISSING}" }
"""


@pytest.fixture(name="claw", scope="module")
def _claw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    """Run the master of all tests here; each has jobs and secrets of its own."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "key").write_text("from a file\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESIDE", "beside")
        config = CONFIG.replace("KEY", str(folder / "key"))
        with master(folder / "home", config) as found:
            yield found


@pytest.fixture(name="ctl", scope="module")
def _ctl(claw: MasterUnderTest) -> Shell:
    return Shell(claw.environment)


def keep(ctl: Shell, name: str, value: str, *words: str) -> Said:
    typed = f"printf %s {shlex.quote(value)} | $CLAWCTL secret set {name}"
    said = ctl.sh(" ".join([typed, *words]))
    assert said.status == 0, said
    return said


def printed(claw: MasterUnderTest) -> list[str]:
    return claw.output("web/out.log").decode().splitlines()


def test_a_service_gets_another_value_with_its_next_process_whoever_was_killed(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    assert "there is no secret WEB_TOKEN" in claw.wait_state("web", "failed")["why"]

    said = keep(ctl, "WEB_TOKEN", f"{FIRST}\n")
    assert "being started, which had failed: web" in said.out
    claw.wait_until(lambda: printed(claw) == [f"with Bearer {FIRST}"], "the first value")

    said = keep(ctl, "WEB_TOKEN", SECOND)
    assert "gets it when its process is next started: web" in said.out
    [known] = [one for one in listed(ctl) if one["name"] == "WEB_TOKEN"]
    assert (known["version"], known["used_by"]) == (2, ["web"])
    assert [one["version"] for one in known["held"]] == [1]

    os.kill(claw.job("web")["pid"], signal.SIGKILL)
    claw.wait_until(lambda: printed(claw)[1:] == [f"with Bearer {SECOND}"], "the second value")
    assert all(not one["held"] for one in listed(ctl))

    keep(ctl, "WEB_TOKEN", THIRD)
    supervisor = process.parent_of(claw.job("web")["pid"])
    assert supervisor is not None
    assert supervisor in claw.supervisors().values()
    os.kill(supervisor, signal.SIGKILL)
    claw.wait_until(lambda: supervisor not in claw.supervisors().values(), "a replacement")
    os.kill(claw.job("web")["pid"], signal.SIGKILL)
    claw.wait_until(lambda: printed(claw)[2:] == [f"with Bearer {THIRD}"], "the third value")

    keep(ctl, "WEB_TOKEN", FIRST, "--restart")
    claw.wait_until(lambda: printed(claw)[3:] == [f"with Bearer {FIRST}"], "the first again")

    claw.restart()  # who holds which version is known to the next master too
    assert all(not one["held"] for one in listed(ctl))
    keep(ctl, "WEB_TOKEN", SECOND)
    assert [len(one["held"]) for one in listed(ctl) if one["name"] == "WEB_TOKEN"] == [1]


def listed(ctl: Shell) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ctl("secret", "list", "--json").json["secrets"]
    return found


def test_what_a_job_refers_to_is_looked_up_when_it_is_started(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    failed = claw.ended(claw.submit("once"))
    assert failed["state"] == "failed"
    assert "there is no secret OTHER: clawctl secret set OTHER" in str(failed)

    keep(ctl, "OTHER", FIRST)
    run = claw.submit("once")
    assert claw.ended(run)["state"] == "succeeded"
    output = claw.output(f"once/{run}.out").decode().strip()
    assert output == f"{FIRST}/beside/${{secret:OTHER}}/from a file"

    assert ctl("secret", "get", "OTHER").out == f"{FIRST}\n"
    mode = stat.S_IMODE(Path(claw.home.secrets).stat().st_mode)
    assert mode == 0o600
    assert FIRST not in Path(claw.home.secrets).read_text()


def test_a_secret_that_is_used_is_forgotten_only_by_force(ctl: Shell) -> None:
    keep(ctl, "USED", FIRST)

    assert "used by user" in ctl("secret", "delete", "USED", status=1).fault
    ctl("secret", "delete", "USED", "--force")
    assert "no secret USED" in ctl("secret", "get", "USED", status=4).fault
    assert "there is no secret NONE" in ctl("secret", "delete", "NONE", status=4).fault


def test_a_value_that_is_none_changes_nothing(ctl: Shell) -> None:
    before = listed(ctl)

    assert "there is no value" in ctl("secret", "set", "X", status=2).fault
    assert "NUL" in ctl.sh("printf 'a\\000b' | $CLAWCTL secret set X").fault
    assert "no name for a secret" in ctl.sh("echo v | $CLAWCTL secret set a/b").fault
    assert listed(ctl) == before
    lines = [line.split() for line in ctl("secret", "list").lines]
    assert lines[0][:3] == ["SECRET", "VERSION", "CHANGED"]
    assert ["MISSING", "missing", "user"] in lines


def test_a_passphrase_opens_the_secrets_of_the_next_program_too(
    tmp_path: Path,
) -> None:
    claw = MasterUnderTest(tmp_path / "home")
    claw.configure("")
    ctl = Shell(claw.environment)
    (tmp_path / "pass").write_text("correct horse\n")
    start = f"exec 9<{tmp_path / 'pass'}; CLAW_PASSPHRASE_FD=9 $CLAWCTL daemon start"
    assert ctl.sh(start).status == 0
    keep(ctl, "A", FIRST)

    ctl("daemon", "restart")
    assert ctl("secret", "get", "A").out == f"{FIRST}\n"
    environment = process.environment_of(claw.call("daemon.status")["pid"])
    assert not [word for word in environment if b"PASSPHRASE" in word]
    ctl("daemon", "stop")

    claw.start()
    try:
        assert "its key is a passphrase" in ctl("secret", "get", "A", status=1).fault
    finally:
        claw.end()


def test_a_job_may_have_its_secrets_masked_where_they_are_shown(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    keep(ctl, "HIDDEN", FIRST)
    run = claw.submit("hiding")
    claw.ended(run)

    for words in (("logs", "hiding"), ("logs", run), ("runs", "output", run)):
        assert "****/" in ctl(*words).out
        assert FIRST not in ctl(*words).out
    assert FIRST.encode() in claw.output(f"hiding/{run}.out")
