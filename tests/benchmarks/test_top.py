"""How long `clawctl top` takes to draw a thousand jobs: 60 ms at most, on a large terminal too.

Measured is what a change of each row costs: the news taken in, the table sorted and filtered
anew, the lines drawn, compared with what is there, and written to the terminal.
"""

import io
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.application.current import set_app
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from claw.cli.top import news
from claw.cli.top.app import Top
from claw.model import home

pytestmark = pytest.mark.benchmark

JOBS = 1000
LIMIT_S = 0.060
ROUNDS = 30


def jobs(number: int) -> list[dict[str, Any]]:
    since = datetime.now(UTC) - timedelta(seconds=number)
    return [
        {
            "name": f"job-{at:04}", "job": f"job-{at:04}", "type": "continuous",
            "state": ("running", "failed", "backoff")[(at + number) % 3], "why": "the reason",
            "pid": 1000 + at + number, "started_at": since.isoformat(), "restarts": number % 7,
            "last": None, "next_at": since.isoformat(), "tags": ["a", "b"], "queued": 0,
            "health": None, "cpu_time": number * 1.1, "memory": (at + number) * 4096,
            "processes": 3, "last_line": "this is what it has said last",
        }
        for at in range(JOBS)
    ]  # fmt: skip


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
@pytest.mark.parametrize("sort", ["name", "memory"])
def test_a_thousand_jobs_are_drawn_in_60_ms(
    tmp_path: Path, size: tuple[int, int], sort: str
) -> None:
    columns, rows = size
    output = Vt100_Output(io.StringIO(), lambda: Size(rows, columns), term="xterm-256color")
    with create_pipe_input() as keys, create_app_session(input=keys, output=output):
        top = Top(home.at_folder(str(tmp_path)), "here")
        top._screen.table.sort_by(sort)
        top._screen.take(news.Linked({"role": "admin", "version": "1"}))
        took = []
        with set_app(top._app):
            for number in range(ROUNDS):
                told = news.Jobs({"jobs": jobs(number)}, is_all=True, at=float(number))
                began = time.perf_counter()
                top._screen.take(told)
                top._app.renderer.render(top._app, top._app.layout)
                took.append(time.perf_counter() - began)

    print(f"{columns}x{rows} by {sort}: median {median(took) * 1000:.1f} ms,", end=" ")
    print(f"worst {max(took) * 1000:.1f} ms")
    assert median(took) <= LIMIT_S
