"""What keys want of the master, asked for in a thread."""

import queue
from pathlib import Path

from claw.cli.top import news
from claw.cli.top.asker import Asker
from claw.model import home as homes
from tests.kit.control_server import ControlServer, answering

COUNT = 300
PATIENCE_S = 30.0


def test_many_at_once_are_asked_for_in_their_order_on_one_connection(tmp_path: Path) -> None:
    place = homes.at_folder(str(tmp_path))
    (tmp_path / "run").mkdir()
    told: queue.Queue[news.News] = queue.Queue()
    answers = answering({"run.submit": {"run": "0" * 26}})
    with ControlServer(Path(place.control_socket), answers) as server:
        asker = Asker(place, told.put)
        for number in range(COUNT):
            asked = {"job": f"job-{number}"}
            asker.want(news.Ask("run.submit", asked, f"run {number}", "submitted"))
        asker.start()
        heard = [told.get(timeout=PATIENCE_S) for _ in range(COUNT)]
        connections = len(server._sessions)

    assert [str(one.text).partition(":")[0] for one in heard if isinstance(one, news.Done)] == [
        f"run {number}" for number in range(COUNT)
    ]
    assert connections == 1
