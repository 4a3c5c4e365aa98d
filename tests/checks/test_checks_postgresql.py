"""What the checks say of the second project on PostgreSQL, under gunicorn."""

from __future__ import annotations

from collections.abc import Callable

from projects.postgresql import Cluster
from projects.storefront import ShopServer

from qa_runner.check_result import CheckResult, Level

Check = Callable[..., dict[str, CheckResult]]


def test_the_database_of_the_server_and_a_wrong_password(
    postgresql: Cluster,
    postgresql_database: str,
    start_shop: Callable[..., ShopServer],
    check: Check,
) -> None:
    url = postgresql.url(postgresql_database)
    server = start_shop("gunicorn", DATABASE_URL=url)
    found = check(server.toml())
    assert not [each for each in found.values() if each.level is Level.FAILURE]
    assert f"postgresql {postgresql_database}" in found["database-probe"].text
    assert found["same-database"].level is Level.OK
    wrong = postgresql.url(postgresql_database, credentials="somebody:wrong-secret")
    found = check(server.toml().replace(url, wrong))
    probe = found["database-probe"]
    assert probe.level is Level.WARNING
    assert "check USER and PASSWORD in DATABASES" in probe.text
    assert "wrong-secret" not in str(found)
    assert "same-database" not in found
