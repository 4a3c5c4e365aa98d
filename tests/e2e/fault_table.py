"""Which fault fails which criterion of PURCHASE-006, and the runs that show it.

A run takes several faults where their criteria do not meet, because each run costs a start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BY_DESIGN", "CAUSES", "ROWS", "SETTINGS", "Row"]

SETTINGS: Mapping[str, tuple[str, ...]] = {
    "2.1": ("requests=3", "timeout=4"),
    "2.2": ("requests=14", "timeout=5.2"),
    "3.2": ("timeout=3.2", "limit.duration=3s"),
    "3.3": ("timeout=5.2", "limit.duration=5s"),
    "3.4": ("stairs=2,10,50", "timeout=5.2"),
    "4.1": (
        "rate=5",
        "duration=4",
        "timeout=5.2",
        "limit.server_cpu_p95=30%",
        # Of so few requests, the stacks of a few new threads are much.
        "limit.server_memory_slope=40 MB per 100 requests",
    ),
    # While others use the cores, it is for those that a query waits.
    "5.1": ("watch=4", "idle=1.2", "every=0.5", "limit.database_time_p95=2s"),
    "6.1": ("every=0.4", "settling=3", "settled_window=2.4"),
    "6.2": (
        "watch=7",
        "idle=2",
        "busy_window=2",
        "limit.busiest_window_after_load=8%",
        "limit.server_cpu_from_idle=5%",
    ),
    "7.1": ("requests=40", "users=10", "timeout=2"),
    "8.1": ("duration=3", "pause=0", "requests=3"),
}
"""The shortest values with which a part fails reliably; without a fault it passes with them.

Limits of CPU are below the text's: on a busy machine the server does not get a core of its own.
"""


@dataclass(frozen=True)
class Row:
    """A run of ``parts``.

    ``fails`` says which criteria each fault must fail, ``also`` which others it may fail,
    ``unmeasured`` which it may leave without a value. ``extra`` are settings of this run, and
    ``by_settings`` the criteria that these fail, as no fault can.
    """

    parts: tuple[str, ...]
    fails: Mapping[str, tuple[str, ...]]
    also: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    by_settings: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """In the order in which they are given: the last acts first on a request."""
        return tuple(self.fails)

    @property
    def required(self) -> set[str]:
        """The criteria that must fail."""
        of_faults = {criterion for criteria in self.fails.values() for criterion in criteria}
        return of_faults | set(self.by_settings)

    def arguments(self) -> list[str]:
        """The words of the command."""
        return [*arguments(self.parts), *(w for text in self.extra for w in ("--set", text))]


def arguments(parts: tuple[str, ...]) -> list[str]:
    """A run of these parts, with their settings."""
    words = ["run", "PURCHASE-006", "--profile", "smoke", "--json"]
    words += [word for part in parts for word in ("--step", part)]
    chosen = [f"{part}.{text}" for part in SETTINGS for text in SETTINGS[part]]
    return words + [word for text in chosen for word in ("--set", text)]


ROWS = (
    Row(
        ("1.2", "2.1", "7.1"),
        {
            "slow": ("1.2-response-time-max", "2.1-response-time-mean"),
            "restart": ("7.1-server-restarts",),
        },
        # What was under way is lost, and for a while nobody answers.
        also=("7.1-success-rate", "7.1-error-rate", "7.1-timeout-rate"),
        unmeasured=(
            "7.1-silent-failures",
            "7.1-malformed-errors",
            "7.1-unlogged-server-errors",
        ),
        # A burst by the fault's measure, though each user waits.
        extra=("7.1.requests=60", "7.1.users=50"),
    ),
    Row(
        ("1.2", "2.2", "3.3"),
        {
            "cold-start": ("1.2-status", "1.2-success-rate"),
            "degradation": ("2.2-response-time-drift",),
            "restart": ("3.3-server-restarts",),
        },
        also=("2.2-success-rate", "3.3-success-rate", "3.3-follow-up-time"),
        unmeasured=("3.3-duration",),
    ),
    Row(
        ("2.1", "2.2", "3.4", "4.1", "7.1"),
        {
            "timeouts": (
                "2.1-success-rate",
                "2.1-response-time-stddev",
                "2.2-success-rate",
                "2.2-response-time-stddev",
                "2.2-response-time-max",
                "3.4-success-rate-users-10",
                "3.4-response-time-users-50-p95",
                "4.1-success-rate",
                "4.1-response-time-p95",
                "7.1-success-rate",
                "7.1-timeout-rate",
                "7.1-error-rate",
            )
        },
        also=("2.1-response-time-mean", "3.4-peak-throughput"),
        unmeasured=("2.2-response-time-drift",),
        extra=(
            "2.1.timeout=2.2",
            "2.2.requests=3",
            "2.2.timeout=2.2",
            "2.2.limit.response_time_max=2s",
            "3.4.stairs=10,50",
            "3.4.timeout=2.2",
            "3.4.limit.response_time_users_50_p95=2s",
            "4.1.rate=8.2",
            "4.1.duration=2.5",
            "4.1.timeout=2.2",
            "4.1.limit.response_time_p95=2s",
            "4.1.limit.server_cpu_p95=80%",
        ),
        # No server keeps requests from being due; a rate that does not divide the duration does.
        by_settings=("4.1-requests-due-deviation",),
    ),
    Row(
        ("2.1", "2.2", "3.1", "3.2", "3.3", "3.4", "8.2"),
        {
            "slow-provider": (
                "3.1-duration",
                "3.2-success-rate",
                "3.2-duration",
                "3.2-follow-up-time",
                "3.3-success-rate",
                "3.3-duration",
                "3.3-follow-up-time",
                "3.4-peak-throughput",
                "3-success-rate",
                "3-response-time-p95",
            ),
            "duplicates": (
                "3.1-duplicate-transactions",
                "3-duplicate-transactions",
                "8.2-duplicate-payment-intents",
            ),
        },
        # A request answered with another's id leaves its own row unclaimed.
        also=("8.2-unaccounted-transactions",),
        unmeasured=(
            "2.2-response-time-drift",
            "3.4-success-rate-users-10",
            "3.4-response-time-users-50-p95",
        ),
        # So few that the provider is through with them before the next part ends.
        extra=(
            "2.1.requests=2",
            "2.2.requests=2",
            "3.2.requests=8",
            "3.3.requests=3",
            "3.3.timeout=3.2",
            "3.3.limit.duration=3s",
            "3.4.stairs=2",
            "3.limit.response_time_p95=3s",
        ),
    ),
    Row(
        ("3.1", "8.1"),
        {
            "errors": ("3.1-success-rate", "8.1-success-rate", "8.1-recovery-time"),
            "restart": ("8.1-server-restarts",),
        },
        also=("8.1-response-time-over-band",),
        unmeasured=("8.1-response-time-median", "8.1-response-time-over-band"),
        extra=("8.1.patience=3",),
    ),
    Row(
        ("3.1", "5.1"),
        {"lock": ("3.1-success-rate", "3.1-lock-errors", "5.1-lock-errors")},
        # It counts the queries of requests that succeed, of which there are a few.
        unmeasured=("5.1-query-count-drift",),
    ),
    Row(
        ("4.1", "6.1", "7.1"),
        {
            "garbage": (
                "4.1-success-rate",
                "7.1-success-rate",
                "7.1-server-error-rate",
                "7.1-error-rate",
                "7.1-silent-failures",
                "7.1-malformed-errors",
            ),
            "unlogged-errors": ("7.1-unlogged-server-errors",),
            "leak": (
                "4.1-server-memory-growth",
                "4.1-server-memory-slope",
                "6.1-server-memory-growth",
                "6.1-server-memory-slope",
            ),
            "memory-swings": ("6.1-server-memory-settled-range",),
        },
        extra=("4.1.rate=18", "4.1.limit.server_cpu_p95=80%"),
    ),
    Row(
        ("5.1", "5.2", "8.2"),
        {
            "missing-balances": ("5.1-balances-added-difference", "8.2-users-without-balance"),
            "orphans": ("8.2-orphan-transactions",),
            "broken-references": ("8.2-database-check-failures",),
            "deadlocks": ("5.1-deadlocks",),
            "database-timeouts": ("5.1-database-timeouts",),
            "n-plus-one": ("5.1-query-count-drift",),
            "connection-leak": ("5.2-database-connections-growth",),
        },
        # The user of an orphaned transaction has none; more queries take more time.
        also=("8.2-users-without-transaction", "5.1-database-time-p95"),
    ),
    Row(
        ("5.1", "8.2"),
        {
            "lost-writes": (
                "5.1-row-count-violations",
                "5.1-unaccounted-transactions",
                "8.2-unaccounted-transactions",
            ),
            "partial-writes": (
                "5.1-users-added-difference",
                "5.1-balances-added-difference",
                "8.2-users-without-transaction",
            ),
        },
        also=("8.2-users-without-balance",),
    ),
    Row(
        ("5.1",),
        {
            "slow-database": (
                "5.1-query-time-median",
                "5.1-query-time-drift",
                "5.1-database-time-p95",
            )
        },
        extra=("5.1.size=3", "5.1.watch=6", "5.1.limit.database_time_p95=100ms"),
    ),
    Row(
        ("1.2", "4.1"),
        {
            "rate-limit": ("4.1-success-rate",),
            "cpu-burn": ("4.1-server-cpu-p95",),
            "memory-plateau": ("1.2-server-memory-growth",),
        },
        # Filling the cache takes a while where the cores are busy.
        also=("1.2-response-time-max", "4.1-server-memory-growth", "4.1-server-memory-slope"),
    ),
    Row(
        ("6.2",),
        {"cpu-burn": ("6.2-server-cpu-from-idle", "6.2-busiest-window-after-load")},
    ),
    Row(
        ("8.1",),
        {
            "slow-recovery": (
                "8.1-recovery-time",
                "8.1-response-time-median",
                "8.1-response-time-over-band",
            )
        },
        extra=("8.1.patience=3",),
    ),
)
CAUSES: Mapping[str, tuple[str, ...]] = {
    "slow": ("slow-provider",),
    # Next to a restart it is for that one that requests fail.
    "errors": ("failed-requests", "restart"),
    "timeouts": ("unanswered", "slow-provider"),
    "lock": ("sqlite-lock-upgrade",),
    # Of both, where they come together.
    "leak": ("memory-leak",),
    "memory-swings": ("memory-swings", "memory-leak"),
    "duplicates": ("duplicates",),
    "orphans": ("orphans",),
    "lost-writes": ("unaccounted",),
    # The balance is not written either.
    "partial-writes": ("partial-writes", "missing-balances"),
    "restart": ("restart",),
    "connection-leak": ("connection-leak",),
    "cpu-burn": ("busy-server", "busy-after-load"),
    "missing-balances": ("missing-balances",),
    "rate-limit": ("rate-limit",),
    "garbage": ("silent-failure", "malformed-errors", "failed-requests"),
    "degradation": ("degradation",),
    "slow-recovery": ("slow-recovery",),
    "n-plus-one": ("growing-queries",),
    "slow-provider": ("slow-provider",),
    "slow-database": ("slow-database", "slow-query"),
    "deadlocks": ("deadlock",),
    "database-timeouts": ("statement-timeout",),
    "broken-references": ("database-checks",),
    "unlogged-errors": ("unlogged-errors",),
    # No more is known of it than its exception, which is quoted.
    "cold-start": ("failed-requests",),
    "memory-plateau": ("memory-plateau",),
}
"""The rules of the report's diagnosis that speak for the criteria that a fault must fail."""
BY_DESIGN = ("1.1-server-processes", "1.1-database-probe-answers", "6.2-server-cpu-rise")
"""Criteria that are INCONCLUSIVE where they do not hold: nothing was measured then."""
