"""The second project does what tests elsewhere rely on."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psutil
from projects.storefront import BUSY, LIMITED, PATH, Shop, ShopServer, running


def _post(server: ShopServer, path: str, mail: str = "a@example.com") -> tuple[int, Any, str]:
    """Status, body and Retry-After."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    order = {"plan_id": 1, "student_info": {"name": "Some Body", "email": mail}}
    with closing(connection):
        connection.request("POST", path, json.dumps(order))
        response = connection.getresponse()
        return response.status, response.read(), response.headers.get("Retry-After", "")


def test_a_purchase_is_stored(shop_server: ShopServer) -> None:
    status, body, _ = _post(shop_server, PATH, "stored@example.com")
    assert status == 201
    assert json.loads(body).keys() >= {
        "success",
        "transaction_id",
        "payment_intent_id",
        "client_secret",
    }
    stored = "Member.objects.filter(mail='stored@example.com', wallet__isnull=False)"
    code = f"from people.models import Member; print('found', {stored}.count())"
    assert "found 1" in shop_server.shop.manage("shell", "-c", code)
    assert _post(shop_server, PATH.rstrip("/"))[0] == 500
    assert "storefront: settings loaded" in shop_server.console.read_text("utf-8")


def test_it_runs_another_django_than_ours(shop: Shop) -> None:
    assert shop.manage("version").split()[-1].startswith("4.2")
    shop.manage("makemigrations", "--check", "--dry-run")


def test_limits_are_the_views_or_the_providers(
    start_shop: Callable[..., ShopServer],
) -> None:
    server = start_shop("gunicorn", SHOP_DEBUG="0")
    answers = [_post(server, LIMITED, f"{i}@example.com") for i in range(11)]
    assert [status for status, *_ in answers] == [201] * 10 + [429]
    assert int(answers[-1][2]) > 3000
    status, body, retry_after = _post(server, BUSY)
    assert (status, retry_after) == (429, "")
    assert b"rate_limit_error" in body
    assert _post(server, PATH.rstrip("/"))[0] == 301


def test_nothing_is_left(shop: Shop) -> None:
    with running(shop, "gunicorn") as server:
        group = os.getpgid(server.pid)
        there = [p for p in psutil.process_iter() if _group(p) == group]
        assert len(there) == 3
    assert not [p for p in psutil.process_iter() if _group(p) == group]


def _group(process: psutil.Process) -> int:
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:
        return -1
