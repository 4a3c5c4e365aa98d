"""The second Django project: a checkout of its own, its virtual environment, its servers."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

__all__ = [
    "BUSY",
    "CARELESS",
    "HEALTH",
    "INTENT_FIELD",
    "LIMITED",
    "MODELS",
    "PATH",
    "SETTINGS",
    "Kind",
    "Shop",
    "ShopServer",
    "check_out",
    "free_port",
    "running",
]

_SOURCE = Path(__file__).parent / "shop"
_GUARDED = Path(__file__).parent / "guarded.py"
_READY_SECONDS = 60.0
_ADDRESS = "127.0.0.1"

HEALTH = "/api/v2/health/"
PATH = "/api/v2/purchases/start/"
LIMITED = "/api/v2/limited/purchases/start/"
BUSY = "/api/v2/busy/purchases/start/"
CARELESS = "/api/v2/careless/purchases/start/"
MODELS = {
    "transactions": "billing.Payment",
    "users": "people.Member",
    "balances": "billing.Wallet",
}
INTENT_FIELD = "provider_reference"
SETTINGS = "storefront.settings"

Kind = Literal["runserver", "gunicorn"]


@dataclass(frozen=True)
class Shop:
    """A checkout of the project, with ``.venv`` in it; its files may be changed by a test."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / ".venv" / "bin" / "python"

    @property
    def state(self) -> Path:
        """The log, the default database and the rate limit's records."""
        return self.folder / "state"

    @property
    def log(self) -> Path:
        return self.state / "storefront.log"

    @property
    def database_url(self) -> str:
        return f"sqlite://{self.state / 'storefront.sqlite3'}"

    def environment(self, **more: str) -> dict[str, str]:
        own = {"SHOP_STATE": str(self.state), "DATABASE_URL": self.database_url}
        return {**own, **more}

    def command(self, kind: Kind, port: int, *, workers: int = 2, reload: bool = True) -> list[str]:
        """What serves on ``port``, to be run in ``folder``."""
        if kind == "runserver":
            options = [] if reload else ["--noreload"]
            serve = ["manage.py", "runserver", *options, f"{_ADDRESS}:{port}"]
        else:
            threads = ["--workers", str(workers), "--threads", "8"]
            bind = ["--bind", f"{_ADDRESS}:{port}"]
            serve = ["-m", "gunicorn", *threads, *bind, "storefront.wsgi"]
        return [str(self.python), *serve]

    def manage(self, *arguments: str, **environment: str) -> str:
        """Run manage.py; its output."""
        done = subprocess.run(
            [str(self.python), "manage.py", *arguments],
            cwd=self.folder,
            env={**os.environ, **self.environment(**environment)},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


@dataclass(frozen=True)
class ShopServer:
    """A server of the project that answers; ``pid`` is that of its topmost process."""

    shop: Shop
    port: int
    pid: int
    console: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{_ADDRESS}:{self.port}"

    def toml(self, name: str = "shop", *, path: str = PATH) -> str:
        """The target as it stands in qa-runner.toml."""
        variables = "\n".join(f"{key} = {value!r}" for key, value in self.environment.items())
        models = "\n".join(f"{role} = '{model}'" for role, model in MODELS.items())
        return f"""\
[targets.{name}]
url = "{self.url}"
log = "{self.shop.log}"

[targets.{name}.paths]
"/finances/api/purchase/initiate/" = "{path}"

[targets.{name}.project]
folder = "{self.shop.folder}"
settings = "{SETTINGS}"
interpreter = "{self.shop.python}"
intent_field = "{INTENT_FIELD}"

[targets.{name}.project.environment]
{variables}

[targets.{name}.project.models]
{models}
"""


def check_out(folder: Path, environment: Path) -> Shop:
    """Copy the project to ``folder``, which must not exist, beside the virtual environment."""
    shutil.copytree(
        _SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__", ".ruff_cache", "state")
    )
    (folder / ".venv").symlink_to(environment)
    return Shop(folder)


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with closing(socket.socket()) as probe:
        probe.bind((_ADDRESS, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    shop: Shop,
    kind: Kind = "runserver",
    *,
    migrate: bool = True,
    workers: int = 2,
    reload: bool = True,
    **environment: str,
) -> Iterator[ShopServer]:
    """A server on a free port, answering; its whole process group is gone afterwards.

    ``environment`` is what storefront/settings.py reads: DATABASE_URL, SHOP_DEBUG and others.
    """
    variables = shop.environment(**environment)
    if migrate:
        shop.manage("migrate", "--verbosity=0", **environment)
    port = free_port()
    console = shop.state / f"console-{port}.txt"
    with subprocess.Popen(
        [
            sys.executable,
            str(_GUARDED),
            str(console),
            *shop.command(kind, port, workers=workers, reload=reload),
        ],
        cwd=shop.folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as guard:
        assert guard.stdin is not None
        assert guard.stdout is not None
        pid = int(guard.stdout.readline())
        try:
            _wait_until_ready(guard, port, console)
            yield ShopServer(shop, port, pid, console, variables)
        finally:
            guard.stdin.close()
            guard.wait(30)


def _wait_until_ready(guard: subprocess.Popen[str], port: int, console: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and guard.poll() is None:
        connection = http.client.HTTPConnection(_ADDRESS, port, timeout=5)
        with closing(connection):
            try:
                connection.request("GET", HEALTH)
                if connection.getresponse().status == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
        time.sleep(0.05)
    raise AssertionError(f"the storefront did not start: {console.read_text('utf-8')[-2000:]}")
