"""Where imported texts come from."""

import io

import pytest

from claw.config.importers import sources
from claw.errors import UsageError


def test_standard_input_is_bound_as_files_are() -> None:
    stream = io.BytesIO(b"x" * ((16 << 20) + 10))

    with pytest.raises(UsageError, match="standard input is larger than 16 MiB"):
        sources.given(stream, "/")

    assert len(stream.read()) == 9
