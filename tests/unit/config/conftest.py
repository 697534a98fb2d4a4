"""A folder for configurations."""

from collections.abc import Callable
from pathlib import Path

import pytest

from claw.config.load import load
from claw.errors import ConfigError
from claw.model.job import Config, Job

Write = Callable[..., Path]
Read = Callable[[str], Config]
ReadJob = Callable[[str], Job]
Refusal = Callable[[str], tuple[str, ...]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of the configuration and return it."""

    def put(text: str | bytes, name: str = "claw.toml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return put


@pytest.fixture
def read(write: Write) -> Read:
    """Load a text as a configuration in one file."""
    return lambda text: load(str(write(text)), env={"TZ": "UTC"})


@pytest.fixture
def read_job(read: Read) -> ReadJob:
    """Load what stands in the table of one job, called web, and return that job."""

    def from_table(text: str) -> Job:
        (job,) = read(f"[jobs.web]\n{text}").jobs
        return job

    return from_table


@pytest.fixture
def refusal(write: Write) -> Refusal:
    """Load a text that is refused, and return the diagnostics without the file's folder."""

    def lines(text: str) -> tuple[str, ...]:
        path = write(text)
        with pytest.raises(ConfigError) as caught:
            load(str(path), env={"TZ": "UTC"})
        assert all(line.startswith(f"{path}:") for line in caught.value.diagnostics)
        told = (line.removeprefix(f"{path}:") for line in caught.value.diagnostics)
        return tuple(line.replace(f"{path.parent}/", "") for line in told)

    return lines
