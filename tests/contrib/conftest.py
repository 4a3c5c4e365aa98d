"""A server with the middleware that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from projects.storefront import ShopServer, check_out, running

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def timed_shop(
    shop_environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ShopServer]:
    """The second project under gunicorn with the oldest Django, qa-runner on its path only."""
    shop = check_out(tmp_path_factory.mktemp("timed") / "storefront", shop_environment)
    with running(
        shop,
        "gunicorn",
        SHOP_MIDDLEWARE="qa_runner.contrib.django.ServerTimingMiddleware",
        SHOP_DEBUG="0",
        PYTHONPATH=str(ROOT),
    ) as server:
        yield server
