"""What the checks say of the second project, and what `qa-runner check` prints."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from projects.storefront import BUSY, LIMITED, PATH, Shop, ShopServer, check_out, free_port, running

from qa_runner.check_result import CheckResult, Level

LIVE = "sk_live_" + "1234567890abcdef"


@pytest.fixture(scope="module")
def production(
    shop_environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ShopServer]:
    shop = check_out(tmp_path_factory.mktemp("production") / "storefront", shop_environment)
    with running(shop, "gunicorn", SHOP_DEBUG="0", SHOP_TOOLBAR="1") as server:
        yield server


Check = Callable[..., dict[str, CheckResult]]


def levels(found: dict[str, CheckResult], level: Level) -> set[str]:
    return {name for name, each in found.items() if each.level is level}


def failures(found: dict[str, CheckResult]) -> set[str]:
    return levels(found, Level.FAILURE)


def test_a_server_in_development(shop_server: ShopServer, check: Check) -> None:
    found = check(shop_server.toml())
    # How busy the machine is, is not ours to say.
    assert not levels(found, Level.WARNING) - {"generator"}
    assert not failures(found)
    assert "manage.py runserver" in found["server-process"].text
    assert "and 1 below it" in found["server-process"].text
    assert "Django 4.2" in found["database-probe"].text
    assert "billing.Payment" in found["database-probe"].text
    assert "the row that the request wrote" in found["same-database"].text
    assert "listen backlog is 10" in found["development"].text
    assert "DEBUG is on" in found["development"].text
    assert "PAYMENTS.stripe.secret" in found["payment-keys"].text
    assert str(shop_server.shop.folder) not in json.dumps(msgspec.to_builtins(found))


def test_a_server_as_in_production_with_an_observer(production: ShopServer, check: Check) -> None:
    found = check(production.toml())
    assert not failures(found)
    assert found["development"].level is Level.OK
    assert "and 2 below it" in found["server-process"].text
    assert found["observers"].level is Level.NOTE
    assert "debug toolbar" in found["observers"].text


def test_limits_are_told_apart(production: ShopServer, check: Check) -> None:
    found = check(production.toml(path=BUSY))
    assert failures(found) == {"rate-limit"}
    assert "payment provider" in found["rate-limit"].text
    found = check(production.toml(path=LIMITED))
    assert failures(found) == {"rate-limit"}
    ahead = found["rate-limit"]
    assert "the view api.views.limited is limited to 10/h; the run sends at least" in ahead.text
    # What an hour of other clients leaves behind.
    for path in (production.shop.state / "throttle").iterdir():
        path.write_text(path.read_text() * 10)
    found = check(production.toml(path=LIMITED))
    assert failures(found) == {"rate-limit"}
    assert "that of the view" in found["rate-limit"].text
    assert "Retry-After" in found["rate-limit"].text


def test_the_projects_own_paths_are_proposed(shop_server: ShopServer, check: Check) -> None:
    found = check(shop_server.toml(path="/finances/api/purchase/initiate/"))
    assert PATH in found["path"].text
    assert f"--set case.path={PATH}," in found["path"].remedy
    assert f'"/finances/api/purchase/initiate/" = "{PATH}"' in found["path"].remedy


def test_what_is_asked_for_is_missing_and_not_the_path(
    shop_server: ShopServer, check: Check
) -> None:
    found = check(shop_server.toml() + '[cases.PURCHASE-006.parameters]\n"case.plan_id" = 99\n')
    assert failures(found) == {"response"}
    assert "HTTP 404: there is no package 99" in found["response"].text
    assert "--set case.plan_id" in found["response"].remedy
    assert "api.views.start" in found["path"].text


def test_nothing_is_sent_with_a_live_key(shop: Shop, check: Check) -> None:
    with running(shop, reload=False, STRIPE_SECRET_KEY=LIVE) as server:
        # The settings that the probe reads say test; the server's own environment tells.
        for toml in (server.toml().replace(LIVE, "sk_test_0000000000"), server.toml()):
            found = check(toml)
            assert failures(found) == {"payment-keys"}
            assert "STRIPE_SECRET_KEY of the server's environment" in found["payment-keys"].text
            assert "not sent" in found["request"].text
            assert LIVE not in json.dumps(msgspec.to_builtins(found))
        assert "PAYMENTS.stripe.secret" in found["payment-keys"].text
        # Neither a setting nor a variable that the server was started with.
        (shop.folder / ".env").write_text(f"PROVIDER_SECRET={LIVE}\n")
        found = check(server.toml())
        assert "PROVIDER_SECRET of the project's environment" in found["payment-keys"].text
        code = "from people.models import Member; print('members', Member.objects.count())"
        assert "members 0" in shop.manage("shell", "-c", code)


def test_the_probe_reads_another_database(
    shop_server: ShopServer, check: Check, tmp_path: Path
) -> None:
    other = f"sqlite://{tmp_path / 'other.sqlite3'}"
    shop_server.shop.manage("migrate", "--verbosity=0", DATABASE_URL=other)
    found = check(shop_server.toml().replace(shop_server.shop.database_url, other))
    assert failures(found) == {"same-database"}
    assert "other.sqlite3" in found["same-database"].text
    assert "[targets.shop.project]" in found["same-database"].remedy


def test_wrong_settings_cost_criteria_and_not_the_run(
    shop_server: ShopServer, check: Check
) -> None:
    text = shop_server.toml().replace("storefront.settings", "storefront.nowhere")
    found = check(text)
    assert "storefront.nowhere" in found["database-probe"].text
    assert "8.2-unaccounted-transactions" in found["database-probe"].criteria
    assert not failures(found)
    found = check(text, "2")
    assert found["database-probe"].criteria == []
    assert found["database-probe"].level is Level.NOTE


def test_nobody_listens(shop_server: ShopServer, check: Check) -> None:
    found = check(shop_server.toml().replace(f":{shop_server.port}", f":{free_port()}"))
    assert [*found] == ["reachable"]
    assert found["reachable"].level is Level.FAILURE
    assert "refused" in found["reachable"].text


def command(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qa_runner", "check", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_table(shop_server: ShopServer, tmp_path: Path) -> None:
    (tmp_path / "qa-runner.toml").write_text(shop_server.toml(path="/api/v2/none/"), "utf-8")
    done = command(tmp_path, "purchase-006", "--target", "shop", "--quiet")
    assert done.returncode == 4
    lines = done.stdout.splitlines()
    # A busy machine may have a warning of its own.
    row = next(i for i, line in enumerate(lines) if line.startswith("✗ failure Right path"))
    assert lines[row + 1].strip().startswith("→ set the path with --set case.path=")
    assert lines[-1] == "1 failure: purchase-006 against shop would be spoilt"
    done = command(tmp_path, "purchase-006", "--target", "shop", "--set", f"case.path={PATH}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ ok      Right path        " + PATH in done.stdout
    assert done.stderr == ""
    done = command(tmp_path, "purchase-006", "--target", "shop", "--format", "yaml")
    assert done.returncode == 2
    assert "unknown format 'yaml'" in done.stderr
    assert not (tmp_path / "artifacts").exists()


def test_the_embedded_target_as_json(tmp_path: Path) -> None:
    done = command(tmp_path, "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    printed = json.loads(done.stdout)
    assert printed["ok"] is True
    levels = {each["id"]: each["level"] for each in printed["checks"]}
    assert levels["same-database"] == "ok"
    assert levels["request"] == "ok"
    assert "failure" not in levels.values()
    assert [*tmp_path.iterdir()] == []


def test_what_cannot_be_asked_for(tmp_path: Path) -> None:
    done = command(tmp_path, "nothing-001", "--target", "http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nothing-001" in done.stderr
    done = command(tmp_path, "purchase-006", "--target", "http://192.0.2.1:8000")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not this machine" in done.stderr
