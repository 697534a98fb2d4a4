"""redis-server and nginx as jobs: on the loopback, with ports and folders of their own."""

import contextlib
import http.client
import random
import shutil
import socket
from pathlib import Path

MISSING = [name for name in ("redis-server", "nginx") if shutil.which(name) is None]
_PATIENCE_S = 30.0
_NGINX = """\
daemon off;
pid %(folder)s/nginx.pid;
error_log stderr notice;
worker_processes 1;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path %(folder)s/body;
  proxy_temp_path %(folder)s/proxy;
  fastcgi_temp_path %(folder)s/fastcgi;
  uwsgi_temp_path %(folder)s/uwsgi;
  scgi_temp_path %(folder)s/scgi;
  server { listen 127.0.0.1:%(port)d; location / { return 200 "well served\\n"; } }
}
"""


class Servers:
    """The configuration of both, and questions to them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.redis_port, self.nginx_port = free_ports(2)
        (folder / "nginx.conf").write_text(_NGINX % {"folder": folder, "port": self.nginx_port})

    @property
    def config(self) -> str:
        """Return the two jobs, ``redis`` and ``nginx``."""
        redis = shutil.which("redis-server")
        nginx = shutil.which("nginx")
        return f"""
[jobs.redis]
type = "continuous"
command = "{redis} --bind 127.0.0.1 --port {self.redis_port} --save '' --dir {self.folder}"
[jobs.nginx]
type = "continuous"
command = "{nginx} -p {self.folder} -c {self.folder}/nginx.conf"
stop_signal = "QUIT"
"""

    def redis_answers(self) -> bool:
        """Tell whether redis says PONG."""
        try:
            with socket.create_connection(
                ("127.0.0.1", self.redis_port), _PATIENCE_S
            ) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64) == b"+PONG\r\n"
        except OSError:
            return False

    def nginx_answers(self) -> bool:
        """Tell whether nginx serves its page."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.nginx_port, timeout=_PATIENCE_S
        )
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            return (answer.status, answer.read()) == (200, b"well served\n")
        except OSError:
            return False
        finally:
            connection.close()

    def answer(self) -> bool:
        """Tell whether both do their work."""
        return self.redis_answers() and self.nginx_answers()


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback that nobody has, nor is given by the kernel.

    A port that the kernel chose for us it may choose for another, before a server has it.
    """
    limits = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    given = range(int(limits[0]), int(limits[1]) + 1)
    others = [port for port in range(10_000, 60_000) if port not in given] or list(given)
    dice = random.SystemRandom()  # the seed of the tests is shared by those beside this one
    found: set[int] = set()
    while len(found) < count:
        port = dice.choice(others)
        with contextlib.suppress(OSError), socket.socket() as one:
            one.bind(("127.0.0.1", port))
            found.add(port)
    return list(found)
