"""The clients in docs/reference/protocol.md do what the page says."""

import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.kit.master import PATIENCE_S, StartMaster

PAGE = Path(__file__).parents[2] / "docs/reference/protocol.md"

BUILD_S = 600.0
"""A first build takes in the compiler's own library."""

CONFIG = """
[jobs.web]
type = "continuous"
command = "sleep 1000"
"""


def example(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(found)


def run_by(language: str, source: Path) -> list[str]:
    if language == "python":
        return [sys.executable, str(source)]
    program = shutil.which({"javascript": "node", "go": "go"}[language])
    if program is None:
        pytest.skip(f"there is no program here that runs {language}")
    if language == "javascript":
        return [program, str(source)]
    built = str(source.with_suffix(""))
    subprocess.run([program, "build", "-o", built, str(source)], check=True, timeout=BUILD_S)
    return [built]


def read_until(client: subprocess.Popen[str], *wanted: str) -> None:
    """Read lines until each of these was one, in order; a client that hangs is killed."""
    assert client.stdout is not None
    timer = threading.Timer(PATIENCE_S, client.kill)
    timer.start()
    try:
        for text in wanted:
            seen: list[str] = []
            while not seen or text not in seen[-1]:
                line = client.stdout.readline()
                assert line, f"no {text!r}: {seen}"
                seen.append(line)
    finally:
        timer.cancel()


@pytest.mark.parametrize(
    ("language", "suffix"), [("python", "py"), ("javascript", "js"), ("go", "go")]
)
def test_the_client_prints_the_jobs_and_then_what_happens(
    start_master: StartMaster, tmp_path: Path, language: str, suffix: str
) -> None:
    source = tmp_path / f"client.{suffix}"
    source.write_text(example(language))
    words = run_by(language, source)
    master = start_master(CONFIG)
    master.call("run.wait", target="web", **{"for": "ready"})

    with subprocess.Popen(
        words, env=master.environment, stdout=subprocess.PIPE, text=True
    ) as client:
        read_until(client, "web running", "daemon.started", "run.running web")
        master.call("job.stop", targets=["web"])
        read_until(client, "run.canceled web")
        client.kill()
