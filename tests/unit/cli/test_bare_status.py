"""A bare ``clawctl status`` is as quick as an interpreter and a socket allow."""

import os
import subprocess
import sys
from pathlib import Path

from tests.unit.cli.conftest import Serve

ROOT = Path(__file__).resolve().parents[3]

CODE = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from claw.cli.main import main
status = main(["status"])
print(status, *sorted(sys.modules))
"""

OURS = {
    "claw", "claw.cli", "claw.cli.homes", "claw.cli.main", "claw.cli.render",
    "claw.cli.render.jsontext", "claw.cli.render.status", "claw.cli.render.table",
    "claw.cli.render.when", "claw.cli.terminal", "claw.client", "claw.client.connection",
    "claw.errors", "claw.kernel", "claw.kernel.bare", "claw.kernel.channel",
    "claw.kernel.clock",
    "claw.kernel.files", "claw.kernel.peer", "claw.kernel.ticks",
    "claw.model", "claw.model.home", "claw.model.units", "claw.wire", "claw.wire.control",
    "claw.wire.lines", "claw.wire.strict",
}  # fmt: skip

OF_THE_LIBRARY = {
    # what json, datetime and contextlib bring with them, what `site` would have
    # brought anyway, and no more
    "genericpath", "os", "os.path", "posixpath", "stat",
    "collections", "collections.abc", "contextlib", "copyreg", "datetime", "enum",
    "errno", "fcntl", "functools", "gc", "importlib", "importlib._abc",
    "importlib._bootstrap", "importlib._bootstrap_external", "itertools", "json",
    "json.decoder", "json.encoder", "json.scanner", "keyword", "math", "operator", "re",
    "re._casefix", "re._compiler", "re._constants", "re._parser", "reprlib",
    "types", "warnings",
}  # fmt: skip

TOO_MUCH = {
    "argparse", "asyncio", "dataclasses", "inspect", "logging", "pathlib", "socket",
    "sqlite3", "subprocess", "trio", "typing",
}  # fmt: skip


def test_it_imports_nothing_that_is_not_on_the_list(serve: Serve, home: Path) -> None:
    jobs = [{"name": "web", "type": "continuous", "state": "running", "pid": 7, "uptime": 3.0,
             "next_at": "2026-12-24T09:00:00+00:00"}]  # fmt: skip
    server = serve(job__status={"jobs": jobs})

    bare = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", CODE],
        env={**os.environ, "CLAW_HOME": str(home)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    *shown, last = done.stdout.splitlines()
    status, *modules = last.split()
    there = {*bare.stdout.split(), *sys.builtin_module_names}
    extra = {name for name in modules if name not in there and not name.startswith("_")}
    assert status == "0"
    assert "web" in shown[1]
    assert len(server.requests) == 1
    assert extra - OURS - OF_THE_LIBRARY == set()
    assert TOO_MUCH & set(modules) == set()
