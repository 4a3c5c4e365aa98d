"""The server monitor on the servers that Django projects run under."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
from projects.storefront import Shop, ShopServer
from test_monitors_process import last, watching
from waiting import wait_until

from qa_runner.monitors.process import ServerMonitor
from qa_runner.monitors.process_rule import ProcessRule

StartShop = Callable[..., ShopServer]


def test_gunicorns_master_and_workers(start_shop: StartShop) -> None:
    server = start_shop("gunicorn", workers=2)
    with watching(ServerMonitor(server.port, address="127.0.0.1")) as monitor:
        assert wait_until(lambda: last(monitor, "workers") == 2)
        pids = [int(pid) for pid in monitor.rows().text("pids")[-1].split()]
        assert pids[0] == server.pid
        assert len(pids) == 3
        # The master starts another worker; the one that ended is a restart.
        psutil.Process(pids[1]).kill()
        assert wait_until(lambda: last(monitor, "restarts") == 1 and last(monitor, "workers") == 2)
        assert any(f"server process {pids[1]} ended at" in note for note in monitor.notes())
        assert not any("moved" in note for note in monitor.notes())


def test_a_changed_file_restarts_the_development_server(
    start_shop: StartShop, shop: Shop, tmp_path: Path
) -> None:
    server = start_shop("runserver")
    pid_file = tmp_path / "server.pid"
    pid_file.write_text(str(server.pid))
    by_port = ServerMonitor(server.port)
    by_file = ServerMonitor(server.port, rule=ProcessRule(pid_file=pid_file))
    with watching(by_port), watching(by_file):
        for monitor in (by_port, by_file):
            assert last(monitor, "processes") == 2
            assert last(monitor, "workers") == 1
        watcher, child = by_port.rows().text("pids")[-1].split()
        assert int(watcher) == server.pid
        source = shop.folder / "storefront" / "urls.py"
        source.write_text(source.read_text("utf-8") + "\n# changed\n")

        def moved(monitor: ServerMonitor) -> bool:
            monitor.sample_now()
            words = f"the server moved from process {child} to "
            return any(words in note for note in monitor.notes())

        assert wait_until(lambda: moved(by_port) and moved(by_file), 60)
        for monitor in (by_port, by_file):
            assert last(monitor, "restarts") == 1
            assert last(monitor, "processes") == 2
            assert monitor.reason == ""
