"""Sockets that claw opens and passes on: who listens, since when, and until when."""

import json
import os
import shutil
import socket
import stat
from pathlib import Path

import pytest

from tests.kit.listening import Load, ask, is_refused, write_server
from tests.kit.master import MasterUnderTest, StartMaster
from tests.kit.servers import Servers, free_ports

BASH = shutil.which("bash") or "/bin/sh"


@pytest.fixture
def tcp() -> str:
    return f"tcp://127.0.0.1:{free_ports(1)[0]}"


def service(name: str, command: str, sockets: str, more: str = "") -> str:
    return f"""
[jobs.{name}]
type = "continuous"
command = '''{command}'''
sockets = {{ {sockets} }}
grace_period = "5s"
restart = {{ delays = ["50ms"] }}
{more}
"""


def test_a_program_gets_its_sockets_in_their_order_with_its_own_pid(
    tmp_path: Path, start_master: StartMaster, tcp: str
) -> None:
    unix = f"unix:{tmp_path}/sub/x.sock"
    v6 = f"tcp://[::1]:{free_ports(1)[0]}"
    claw = start_master(
        service(
            "web",
            write_server(tmp_path),
            f'zz = "{tcp}", six = "{v6}",'
            f' admin = {{ address = "{unix}", mode = "0604", backlog = 7 }}',
        )
    )
    pid = claw.wait_state("web", "running")["pid"]

    said = [ask(address) for address in (tcp, v6, unix)]

    assert said[0] == said[1] == said[2]
    assert said[0]["pid"] == said[0]["told"] == pid
    assert (said[0]["LISTEN_FDS"], said[0]["LISTEN_FDNAMES"]) == ("3", "zz:six:admin")
    assert said[0]["open"] == [0, 1, 2, 3, 4, 5, 6, 7]  # and two of a pipe of its own
    assert said[0]["blocking"] == [True, True, True]
    assert stat.S_IMODE((tmp_path / "sub" / "x.sock").stat().st_mode) == 0o604
    assert claw.job("web")["sockets"] == [
        {"name": "zz", "address": tcp, "open": True},
        {"name": "six", "address": v6, "open": True},
        {"name": "admin", "address": unix, "open": True},
    ]
    assert tcp in claw.ctl("status", "-v")


LINES = (
    "{} > $HOME/none 2>&1",
    "cd / && {}",
    "cd /; {} >/dev/null # as it is",
    "MODE=1 exec {}",
)


def test_a_program_behind_a_shell_has_the_pid_that_it_is_told(
    tmp_path: Path, start_master: StartMaster
) -> None:
    server, text = write_server(tmp_path), ""
    addresses: dict[str, str] = {}
    for shell in ("/bin/sh", BASH):
        for line in LINES:
            name = f"job{len(addresses)}"
            addresses[name] = f"unix:{tmp_path}/{name}"
            more = f'shell = "{shell}"\nenv = {{ HOME = "{tmp_path}" }}'
            text += service(name, line.format(server), f'http = "{addresses[name]}"', more)
    claw = start_master(text)

    for name, address in addresses.items():
        pid = claw.wait_state(name, "running")["pid"]
        said = ask(address)
        assert said["pid"] == said["told"] == pid


def test_a_job_without_sockets_is_told_of_none(
    start_master: StartMaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        monkeypatch.setenv(name, "1")
    claw = start_master("""
[jobs.look]
command = "env"
inherit_env = "*"
""")
    run = claw.submit("look")
    claw.ended(run)

    assert "LISTEN_" not in claw.output(f"look/{run}.out").decode()
    assert "CLAW_RUN_ID" in claw.output(f"look/{run}.out").decode()


def test_sockets_are_open_before_any_service_is_there(
    tmp_path: Path, start_master: StartMaster, tcp: str
) -> None:
    # `first` needs `second`, which is started after it, and calls it at once.
    caller = tmp_path / "call.py"
    host, port = tcp.removeprefix("tcp://").split(":")
    caller.write_text(
        f"import socket; print(bool(socket.create_connection(('{host}', {port})).recv(9)))"
    )
    claw = start_master(
        f"""
[jobs.first]
type = "continuous"
command = "python3 {caller}"
restart = {{ policy = "never" }}
"""
        + service("second", write_server(tmp_path), f'http = "{tcp}"')
    )

    ended = claw.wait_state("first", "exited")

    assert ended["last"]["exit_code"] == 0
    assert claw.output("first/out.log") == b"True\n"


def test_a_socket_is_closed_when_its_job_is_stopped_and_opened_when_it_is_started(
    tmp_path: Path, start_master: StartMaster, tcp: str
) -> None:
    unix = f"unix:{tmp_path}/x.sock"
    claw = start_master(
        service("web", write_server(tmp_path), f'http = "{tcp}", admin = "{unix}"')
    )
    claw.wait_state("web", "running")
    ask(tcp)

    claw.ctl("stop", "web")
    claw.wait_until(lambda: is_refused(tcp) and is_refused(unix), "end of both sockets")
    assert not (tmp_path / "x.sock").exists()
    assert [one["open"] for one in claw.job("web")["sockets"]] == [False, False]

    for _ in range(3):
        claw.ctl("start", "web")
        claw.wait_state("web", "running")
        assert ask(tcp)["pid"] == ask(unix)["pid"]
        claw.ctl("stop", "web")
        claw.ctl("start", "web")
    claw.wait_state("web", "running")


def test_a_removed_job_and_one_that_ended_for_good_listen_no_more(
    tmp_path: Path, start_master: StartMaster, tcp: str
) -> None:
    other = f"tcp://127.0.0.1:{free_ports(1)[0]}"
    server = write_server(tmp_path)
    once = service("once", server, f'http = "{other}"', 'restart.policy = "never"')
    once = once.replace('restart = { delays = ["50ms"] }\n', "")
    claw = start_master(service("web", server, f'http = "{tcp}"') + once)
    claw.wait_state("web", "running")
    pid = claw.wait_state("once", "running")["pid"]

    os.kill(pid, 9)
    claw.wait_until(lambda: is_refused(other), "end of the socket of once")
    claw.configure("")
    claw.ctl("reload")
    claw.wait_until(lambda: is_refused(tcp), "end of the socket of web")


def test_a_socket_of_a_run_that_ends_is_open_while_it_is_active(
    tmp_path: Path, start_master: StartMaster, tcp: str
) -> None:
    claw = start_master(f"""
[jobs.task]
command = "{write_server(tmp_path)}"
sockets = {{ http = "{tcp}" }}
""")
    assert is_refused(tcp)

    run = claw.submit("task")
    claw.wait_until(lambda: not is_refused(tcp), "a socket")
    assert ask(tcp)["told"] == claw.wait_state("task", "running")["pid"]
    claw.ctl("cancel", run)

    claw.ended(run)
    claw.wait_until(lambda: is_refused(tcp), "end of the socket")


def test_a_reload_keeps_the_socket_whose_address_stays_and_moves_the_other(
    tmp_path: Path, start_master: StartMaster, tcp: str
) -> None:
    ports = free_ports(2)
    old, new = (f"tcp://127.0.0.1:{port}" for port in ports)
    server = write_server(tmp_path)
    claw = start_master(service("web", server, f'a = "{tcp}", b = "{old}"'))
    claw.wait_state("web", "running")
    first = ask(old)["pid"]

    with Load(tcp, tcp) as load:
        claw.configure(service("web", server, f'b = "{new}", renamed = "{tcp}"'))
        claw.ctl("reload")
        claw.wait_until(lambda: not is_refused(new), "the new address")
        assert ask(new)["LISTEN_FDNAMES"] == "b:renamed"
        before = load.answers[ask(tcp)["pid"]]
        claw.wait_until(
            lambda: load.answers[ask(tcp)["pid"]] > before, "answers of the new child"
        )

    assert load.failures == []
    assert is_refused(old)
    assert ask(tcp)["pid"] != first


def test_an_address_in_use_is_told_tried_again_and_harms_no_other_job(
    tmp_path: Path, start_master: StartMaster, tcp: str
) -> None:
    other = f"tcp://127.0.0.1:{free_ports(1)[0]}"
    server = write_server(tmp_path)
    host, port = tcp.removeprefix("tcp://").split(":")
    with socket.create_server((host, int(port))):
        claw = start_master(
            service("web", server, f'http = "{tcp}"')
            + service("fine", server, f'http = "{other}"')
            + f'[jobs.task]\ncommand = "{server}"\nsockets.x = "unix:{tmp_path}/server.py"\n'
        )
        claw.wait_state("fine", "running")
        assert ask(other)["told"]
        shown = claw.wait_state("web", "backoff")
        told = f"socket http cannot be opened at {tcp}: Address already in use"
        assert told in shown["why"]
        assert told in claw.ctl("why", "web")
        assert [one["open"] for one in shown["sockets"]] == [False]
        run = claw.ended(claw.submit("task"))
        assert run["state"] == "failed"
        assert "socket x cannot be opened" in claw.ctl("why", run["id"])

    claw.wait_state("web", "running")
    assert ask(tcp)["told"] == claw.job("web")["pid"]


def test_a_unix_socket_whose_file_was_removed_is_back_after_a_restart(
    tmp_path: Path, start_master: StartMaster
) -> None:
    unix = f"unix:{tmp_path}/x.sock"
    claw = start_master(service("web", write_server(tmp_path), f'admin = "{unix}"'))
    first = claw.wait_state("web", "running")["pid"]
    assert ask(unix)["pid"] == first
    (tmp_path / "x.sock").unlink()

    claw.ctl("restart", "web")
    claw.wait_until(lambda: not is_refused(unix), "the socket")
    assert ask(unix)["pid"] not in {0, first}


def test_a_socket_that_a_child_has_shut_down_is_another_one_after_a_restart(
    start_master: StartMaster, tcp: str, tmp_path: Path
) -> None:
    marker = tmp_path / "shut"
    script = tmp_path / "shutting.py"
    script.write_text(
        "import pathlib, socket, time\n"
        "one = socket.socket(fileno=3)\n"
        f"mark = pathlib.Path({str(marker)!r})\n"
        "if not mark.exists():\n"
        "    one.shutdown(socket.SHUT_RDWR)\n"
        "    mark.touch()\n"
        "time.sleep(3600)\n"
    )
    claw = start_master(service("web", f"python3 {script}", f'http = "{tcp}"'))
    claw.wait_until(marker.exists, "a socket that is shut down")
    assert is_refused(tcp)

    claw.ctl("restart", "web")

    claw.wait_until(lambda: not is_refused(tcp), "another socket")


def test_a_new_master_has_the_sockets_of_the_one_before(
    tmp_path: Path, start_master: StartMaster, tcp: str
) -> None:
    claw = start_master(service("web", write_server(tmp_path), f'http = "{tcp}"'))
    pid = claw.wait_state("web", "running")["pid"]
    assert ask(tcp)["pid"] == pid

    with Load(tcp) as load:
        claw.restart()
        assert claw.wait_state("web", "running")["sockets"][0]["open"]
        claw.ctl("restart", "web")
        claw.wait_until(lambda: ask(tcp).get("pid") not in {pid, None}, "another child")
    assert load.failures == []

    claw.ctl("stop", "web")
    claw.wait_until(lambda: is_refused(tcp), "end of the socket")


def test_a_job_that_is_gone_when_a_master_starts_listens_no_more(
    tmp_path: Path, start_master: StartMaster, tcp: str
) -> None:
    claw: MasterUnderTest = start_master(
        service("web", write_server(tmp_path), f'http = "{tcp}"')
    )
    claw.wait_state("web", "running")
    claw.kill()
    claw.configure("")
    claw.start()

    claw.wait_until(lambda: is_refused(tcp), "end of the socket")
    assert json.loads(claw.ctl("status", "--json"))["jobs"] == []


def test_instances_share_their_sockets_over_a_rolling_restart_and_scaling(
    tmp_path: Path, start_master: StartMaster, tcp: str
) -> None:
    claw = start_master(
        service("web", write_server(tmp_path), f'http = "{tcp}"', "instances = 2")
    )

    def who_answers() -> set[str]:
        return {str(ask(tcp).get("CLAW_INSTANCE")) for _ in range(30)}

    claw.wait_until(lambda: who_answers() == {"1", "2"}, "answers of both")
    with Load(tcp, tcp) as load:
        before = {ask(tcp)["pid"] for _ in range(30)}
        claw.ctl("restart", "web")
        claw.wait_until(lambda: not before & {ask(tcp)["pid"]}, "other children")
        claw.ctl("scale", "web=3")
        claw.wait_until(lambda: who_answers() >= {"1", "2", "3"}, "answers of three")
        claw.ctl("stop", "web@1")
        claw.wait_until(lambda: who_answers() == {"2", "3"}, "an end of the first")
    assert load.failures == []
    claw.ctl("stop", "web")
    claw.wait_until(lambda: is_refused(tcp), "end of the socket")


def test_a_daemon_that_is_renewed_in_place_keeps_its_sockets(
    tmp_path: Path, start_master: StartMaster, tcp: str
) -> None:
    claw = start_master(service("web", write_server(tmp_path), f'http = "{tcp}"'))
    pid = claw.wait_state("web", "running")["pid"]

    with Load(tcp) as load:
        claw.ctl("daemon", "restart")
        claw.client.close()  # its connection has ended with the old program
        claw.ctl("restart", "web")
        claw.wait_until(lambda: ask(tcp).get("pid") not in {pid, None}, "another child")

    assert load.failures == []


@pytest.mark.skipif(shutil.which("nginx") is None, reason="not installed: nginx")
def test_nginx_takes_its_socket_and_refuses_nobody_over_a_restart(
    tmp_path: Path, start_master: StartMaster
) -> None:
    servers = Servers(tmp_path / "servers")
    folder, address = servers.folder, f"tcp://127.0.0.1:{servers.nginx_port}"
    claw = start_master(
        service(
            "nginx",
            f"{shutil.which('nginx')} -p {folder} -c {folder}/nginx.conf",
            f'http = "{address}"',
            'env = { NGINX = "3;" }\nstop_signal = "QUIT"',
        )
    )
    first = claw.wait_state("nginx", "running")["pid"]
    claw.wait_until(servers.nginx_answers, "an answer of nginx")

    for _ in range(5):
        claw.call("job.restart", targets=["nginx"])
        assert not is_refused(address)
        assert servers.nginx_answers()

    claw.wait_until(lambda: claw.job("nginx")["pid"] not in {None, first}, "another nginx")
    assert servers.nginx_answers()
    assert "using inherited sockets" in claw.ctl("logs", "nginx")
