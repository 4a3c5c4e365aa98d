"""nginx with one worker that answers at once, and counts."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.child import bound, started
from benchmarks.job import BenchmarkError

__all__ = ["ADDRESSES", "Nginx", "serving"]

ADDRESSES = 16
"""It listens on 127.0.0.1 to 127.0.0.16, so that no run meets the closed connections of the one
before it."""

_START_SECONDS = 10.0
_CONFIGURATION = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_rlimit_nofile 20000;
events {{ worker_connections 10000; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/json;
    server {{
{listen}
        location / {{
            return 200 '{{"status":"completed","transaction_id":"0123456789abcdef","ok":true}}';
        }}
        location = /served {{ stub_status; }}
    }}
}}
"""


class Nginx:
    """A running nginx."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._asked = 0
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def url(self, number: int) -> str:
        """Where to send to; ``number`` chooses among its addresses."""
        return f"http://127.0.0.{1 + number % ADDRESSES}:{self._port}/purchase"

    def served(self) -> int:
        """Requests so far, without those that ask for this; raises OSError if it is gone."""
        try:
            self._connection.request("GET", "/served")
            text = self._connection.getresponse().read().decode()
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            raise OSError(f"nginx does not answer: {error}") from None
        self._asked += 1
        # "server accepts handled requests\n 1 1 1 \n"
        return int(text.splitlines()[2].split()[2]) - self._asked


@contextlib.contextmanager
def serving(folder: Path, core: int) -> Iterator[Nginx]:
    """Nginx on a free port; raises BenchmarkError if there is none or it does not start."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise BenchmarkError("nginx is not installed: apt-get install nginx-light")
    port = _free_port()
    listen = "\n".join(
        f"        listen 127.0.0.{1 + number}:{port} backlog=4096;" for number in range(ADDRESSES)
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, listen=listen))
    command = [program, "-p", str(folder), "-e", f"{folder}/error.log", "-c", str(configuration)]
    with started(bound(command, core), folder) as process:
        server = Nginx(port)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                server.served()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    said = (folder / "error.log").read_text().splitlines()
                    raise BenchmarkError(f"nginx did not start: {said[-1:]}") from None
                time.sleep(0.05)
        yield server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
