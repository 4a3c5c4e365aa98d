"""Fixtures of the second project, for all tests; see README.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from projects.storefront import Shop, ShopServer, check_out, running
from projects.virtual_environment import NotInstalled, environment_for

__all__ = ["shop", "shop_environment", "shop_server", "start_shop"]

_REQUIREMENTS = Path(__file__).parent / "shop" / "requirements.txt"


@pytest.fixture(scope="session")
def shop_environment() -> Path:
    """The folder of the project's virtual environment: another Django than ours, gunicorn."""
    try:
        return environment_for(_REQUIREMENTS)
    except NotInstalled as error:
        pytest.skip(f"the second project's virtual environment cannot be had: {error}")


@pytest.fixture
def shop(shop_environment: Path, tmp_path: Path) -> Shop:
    """A checkout of the project that a test may do with as it likes; nothing runs yet."""
    return check_out(tmp_path / "storefront", shop_environment)


@pytest.fixture
def start_shop(shop: Shop) -> Iterator[Callable[..., ShopServer]]:
    """Starts servers of ``shop``, with the arguments of storefront.running; ends them."""
    with ExitStack() as stack:

        def start(*arguments: Any, **options: Any) -> ShopServer:
            return stack.enter_context(running(shop, *arguments, **options))

        yield start


@pytest.fixture(scope="session")
def shop_server(
    shop_environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ShopServer]:
    """A runserver on SQLite that all tests share: leave its files and processes alone."""
    shop = check_out(tmp_path_factory.mktemp("shared") / "storefront", shop_environment)
    with running(shop) as server:
        yield server
