"""Procfiles become services, with what foreman gives them."""

from pathlib import Path

import pytest

from claw.config.importers import procfile
from claw.config.importers.imported import Draft, Options
from claw.config.importers.sources import Source
from claw.errors import UsageError


def read(text: str, folder: str = "/app") -> dict[str, Draft]:
    found = procfile.read([Source("Procfile", text.encode(), folder)], Options())
    return {job.name: job for job in found.jobs}


def test_each_line_is_a_service_in_the_folder_of_the_file() -> None:
    jobs = read("# web: old\nweb: bin/serve -p $PORT\nworker:  env QUEUE=* rake work\n\n")

    assert jobs["web"].table == {
        "type": "continuous",
        "command": "bin/serve -p $PORT",
        "cwd": "/app",
        "inherit_env": "*",
        "env": {"PORT": "5000"},
    }
    assert jobs["worker"].table["command"] == "env QUEUE=* rake work"
    assert jobs["worker"].table["env"] == {"PORT": "5100"}


def test_what_heroku_runs_before_a_release_runs_when_asked() -> None:
    job = read("release: rake db:migrate\n")["release"]

    assert job.table["type"] == "manual"
    assert "env" not in job.table
    assert job.notes


def test_what_only_bash_knows_runs_in_bash() -> None:
    jobs = read('a: [[ "$X" ]] && run\nb: echo "[["\n')

    assert jobs["a"].table["shell"] == "/bin/bash"
    assert "shell" not in jobs["b"].table


def test_the_env_file_beside_it_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n")

    assert read("web: x\n", str(tmp_path))["web"].table["env_file"] == ".env"


def test_what_is_no_procfile_is_refused() -> None:
    with pytest.raises(UsageError, match="Procfile:1: no line of a Procfile"):
        read("0 0 * * * x\n")
