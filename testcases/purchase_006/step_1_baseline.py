"""Step 1: environment and baseline."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from qa_runner import Param, Sequential, Step, StepContext, part

from .database_state import connections
from .requests import purchase

MACHINE = (
    ("operating_system", "operating system", ""),
    ("machine", "processor", ""),
    ("cpu_count", "cores", ""),
    ("cpu_percent", "CPU busy", "%"),
    ("load_1_minute", "load average, 1 minute", ""),
    ("load_5_minutes", "load average, 5 minutes", ""),
    ("load_15_minutes", "load average, 15 minutes", ""),
    ("memory_total_bytes", "memory", "GB"),
    ("memory_used_bytes", "memory used", "GB"),
    ("disk_read_bytes", "disk read since the machine started", "GB"),
    ("disk_written_bytes", "disk written since the machine started", "GB"),
    ("python", "Python of qa-runner", ""),
)
"""Name in the snapshot, label, unit to show it in."""


def _shown(value: str | float | None, unit: str) -> str | float | None:
    if isinstance(value, str) or value is None:
        return value
    if not unit:
        return round(value, 2)
    return f"{value / 1e9:,.2f} GB" if unit == "GB" else f"{value:.1f} {unit}"


class Baseline(Step):
    """What machine, server and database are like before any load, and what one request takes."""

    number = 1
    title = "Environment and baseline"
    figure = "01_baseline_performance_established"
    chart = "phases"

    @part(
        "1.1",
        "Snapshot",
        criteria=(
            "server_processes >= 1  # the process that owns the port",
            "database_probe_answers == 1  # initial database state",
        ),
        source="Step 1, system resource and database connection baseline",
    )
    def snapshot(self, ctx: StepContext) -> None:
        """No load."""
        machine = ctx.system.snapshot()
        ctx.table(
            "machine",
            "Machine",
            ("what", "value"),
            [(label, _shown(machine[name], unit)) for name, label, unit in MACHINE],
        )
        processes = ctx.server.snapshot()
        for name, title, role in (
            ("server", "Processes of the server", "server"),
            ("python", "Largest Python processes", "python"),
        ):
            ctx.table(
                name,
                title,
                ("pid", "command", "started", "RSS MB", "threads", "open files"),
                _rows(process for process in processes if process.role == role),
            )
        found = ctx.server.processes_found
        if found:
            ctx.record("server_processes", found)
        else:
            ctx.not_measured(
                "server_processes", ctx.server.reason or "no process owns the target's port"
            )
        with ctx.measuring("database_probe_answers"):
            self._database(ctx)

    def _database(self, ctx: StepContext) -> None:
        info = ctx.database.info()
        ctx.record("database_probe_answers", 1)
        readings = connections(ctx, 0, ctx.now())
        shown = {
            "Django": info.django,
            "DEBUG": info.debug,
            "Python of the target": info.python,
            "engine": info.engine,
            # Of an SQLite file the name only: no path of this machine belongs into a report.
            "name": PurePath(info.name).name,
            "version": info.server_version,
            "journal mode": info.journal_mode,
            "busy timeout s": info.busy_timeout_seconds,
            "transaction mode": info.transaction_mode,
            "isolation level": info.isolation_level,
            **{
                f"{role} stored": f"about {count:,}" if role in info.estimated else count
                for role, count in info.counts.items()
            },
            **{
                f"size of {role}, with indexes": f"{size / 1e6:,.2f} MB"
                for role, size in info.table_bytes.items()
            },
            **info.details,
            "open connections of the server": readings[-1] if readings else None,
        }
        rows = [(name, value) for name, value in shown.items() if value not in ("", None)]
        ctx.table("database", "Database", ("what", "value"), rows)

    @part(
        "1.2",
        "One request",
        word=Param("Baseline Test"),
        timeout=Param(10.0, unit="s"),
        settling=Param(0.5, unit="s", zero=True),
        loads=lambda **_: Sequential(requests=1),
        criteria=(
            "status == 201  # HTTP 201",
            "success_rate == 100 %  # valid response format",
            "response_time max < 2 s  # response time",
            "server_memory growth < 50 MB  # no memory spikes",
        ),
        source="Step 1, expected baseline",
    )
    def one_request(self, ctx: StepContext, word: str, timeout: float, settling: float) -> None:
        """Its phases are in the figure."""
        ctx.load(Sequential(requests=1), purchase(ctx, word), timeout=timeout)
        ctx.sleep(settling)


def _without_folders(command: str) -> str:
    """A command line whose paths are cut to their last names: the report is mailed to others."""
    return re.sub(r"(?:/[^\s/=]+)+/", "", command)


def _rows(processes: Iterable[Any]) -> list[tuple[Any, ...]]:
    return [
        (
            process.pid,
            _without_folders(process.command),
            process.started,
            None if process.rss_bytes is None else round(process.rss_bytes / 1e6, 1),
            process.threads,
            process.open_files,
        )
        for process in processes
    ]
