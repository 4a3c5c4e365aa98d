"""Step 5: database impact."""

from __future__ import annotations

import numpy as np

from qa_runner import Burst, Outcome, Param, Step, StepContext, VirtualUsers, part, percentile

from .accounting import UNKNOWN, Ledger
from .database_state import activity, connections, lock_waits
from .requests import purchase

_PUBLISHED_SECONDS = 1.3
"""Sessions of PostgreSQL publish their counts, such as deadlocks, about a second late."""


class DatabaseImpact(Step):
    """What the load does to the database: rows, locks, query time, connections."""

    number = 5
    title = "Database impact"
    figure = "05_database_performance_impact"
    chart = "database"

    @part(
        "5.1",
        "Rows and query time during bursts",
        watch=Param(30.0, smoke=8.0, unit="s"),
        idle=Param(5.0, smoke=1.33, unit="s", zero=True),
        bursts=Param(4),
        size=Param(15, unit="requests"),
        every=Param(5.0, smoke=1.33, unit="s"),
        word=Param("Database"),
        timeout=Param(10.0, unit="s"),
        seconds=lambda watch, **_: watch,
        loads=lambda bursts, size, every, **_: Burst(
            requests=size, repeat=bursts, every_seconds=every
        ),
        criteria=(
            "row_count_violations == 0  # linear increase, nothing lost",
            "unaccounted_transactions == 0  # every request accounted for",
            "users_added_difference == 0  # proper user creation and reuse",
            "balances_added_difference == 0  # account balance creation",
            "lock_errors == 0  # no lock errors",
            "deadlocks == 0  # no deadlocks",
            "database_timeouts == 0  # no timeout errors",
            "query_time median < 100 ms  # queries stay quick",
            "query_time drift < 100 ms  # query execution time stable under load",
            "database_time p(95) < 100 ms  # of each request",
            "query_count drift < 1  # as many queries for the last request as for the first",
        ),
        source="Test 5.1, expected database behaviour; database performance",
    )
    def rows(
        self,
        ctx: StepContext,
        *,
        watch: float,
        idle: float,
        bursts: int,
        size: int,
        every: float,
        word: str,
        timeout: float,
    ) -> None:
        """Quiet, bursts at regular times, quiet; one e-mail address is used twice."""
        start = ctx.now()
        ctx.sleep_until(start + idle)
        early = Burst(requests=size, repeat=max(bursts - 1, 1), every_seconds=every)
        with ctx.alongside(early, purchase(ctx, word), timeout=timeout):
            if bursts > 1:
                ctx.sleep_until(start + idle + (bursts - 1) * every)
                # The address of the first that was answered.
                known = ctx.samples().text("key")
                again = purchase(ctx, word, email=known[0] if known else "")
                fresh = Burst(requests=max(size - 1, 1))
                with ctx.alongside(fresh, purchase(ctx, word), timeout=timeout):
                    ctx.load(Burst(requests=1), again, timeout=timeout)
        answered = float(np.nanmax(ctx.samples().number("finished"), initial=0.0))
        ctx.sleep_until(max(start + watch, answered + _PUBLISHED_SECONDS))
        ctx.sample_monitors()
        self._query_times(ctx, start)
        activity(ctx, start)
        names = ("row_count_violations", "users_added_difference", "balances_added_difference")
        with ctx.measuring(*names, "unaccounted_transactions"):
            lock_waits(ctx, start)
            self._judge_rows(ctx, start)

    def _query_times(self, ctx: StepContext, start: float) -> None:
        """The fixed query's times; the median is judged, the rest is for the reader."""
        times = ctx.series("database", start, ctx.now()).number("query_seconds")
        times = times[np.isfinite(times)]
        if times.size:
            figures = [percentile(times, 50), percentile(times, 95), float(times.max())]
            ctx.table(
                "query_times",
                "Time of one indexed query",
                ("readings", "median ms", "p95 ms", "max ms"),
                [(int(times.size), *(round(1e3 * value, 3) for value in figures))],
            )

    def _judge_rows(self, ctx: StepContext, start: float) -> None:
        """Compare what was stored with what was acknowledged, at every reading and at the end."""
        last = ctx.database.read_now()
        end = ctx.now()
        readings = ctx.series("database", 0, end)
        added = readings.number("transactions_added")
        begun, ended = readings.number("time"), readings.number("read_end")
        known = np.isfinite(added)
        before = np.flatnonzero(known & (ended <= ctx.samples().number("due").min()))
        if not before.size:
            for name in ("row_count_violations", "balances_added_difference"):
                ctx.not_measured(name, "no reading of the database before the first request")
        else:
            base = int(before[-1])
            own = ctx.samples()
            acknowledged = own.number("finished")[own.text_equals("outcome", str(Outcome.SUCCESS))]
            started = own.number("started")
            # A request of an earlier part that was cut off may be stored only now.
            earlier = ctx.run_samples()
            earlier = earlier.where(earlier.number("session") == own.number("session")[0])
            late = sum(o in UNKNOWN for o in earlier.text("outcome"))
            late -= sum(o in UNKNOWN for o in own.text("outcome"))
            violations = 0
            for index in np.flatnonzero(known & (begun >= start)):
                count = added[index] - added[base]
                least = np.sum(acknowledged <= begun[index])
                most = np.sum(started <= ended[index]) + late
                violations += int(not least <= count <= most)
            ctx.record("row_count_violations", violations)
            users = last.users_added - readings.number("users_added")[base]
            balances = last.balances_added - readings.number("balances_added")[base]
            ctx.record("balances_added_difference", abs(balances - users))
            self._table(ctx, base, last.transactions_added, last.users_added, last.balances_added)
        ledger = Ledger.of(ctx.samples())
        least_users = len(ledger.acknowledged)
        most_users = len(ledger.acknowledged | ledger.unknown)
        stored_users = ctx.database.users(ctx.tag)
        ctx.record(
            "users_added_difference",
            max(least_users - stored_users, stored_users - most_users, 0),
        )
        integrity = ctx.database.integrity(ctx.tag)
        rows = [(str(row.pk), row.email) for row in integrity.stored]
        missing, extra = ledger.settle(rows, ctx.tag, ctx.complete_loads())
        ctx.record(
            "unaccounted_transactions",
            missing + extra,
            note=f"{missing} acknowledged but not stored, {extra} stored but not acknowledged",
        )

    def _table(
        self, ctx: StepContext, base: int, transactions: int, users: int, balances: int
    ) -> None:
        readings = ctx.series("database", 0, ctx.now())
        rows = [
            (name, float(readings.number(column)[base]), now)
            for name, column, now in (
                ("transactions", "transactions_added", transactions),
                ("users", "users_added", users),
                ("balances", "balances_added", balances),
            )
        ]
        ctx.table(
            "rows",
            "Rows added since the session began",
            ("table", "before", "after", "change"),
            [(name, before, now, now - before) for name, before, now in rows],
        )

    @part(
        "5.2",
        "Database connections",
        requests=Param(50),
        users=Param(10),
        settling=Param(1.5, unit="s", zero=True),
        word=Param("Connections"),
        timeout=Param(10.0, unit="s"),
        seconds=lambda settling, **_: 2 * settling + 2,
        loads=lambda requests, users, **_: VirtualUsers(users=users, requests=requests),
        criteria=("database_connections growth < 5  # no significant leak",),
        source="Test 5.2, expected",
    )
    def connections(
        self,
        ctx: StepContext,
        *,
        requests: int,
        users: int,
        settling: float,
        word: str,
        timeout: float,
    ) -> None:
        """Before, during and after a load, each settled."""
        before = connections(ctx, 0.0, ctx.now())
        start = ctx.now()
        shape = VirtualUsers(users=users, requests=requests)
        sent = ctx.load(shape, purchase(ctx, word), timeout=timeout)
        loaded = sent.last_finished
        during = connections(ctx, start, loaded)
        ctx.sleep(settling)
        ctx.sample_monitors()
        after = connections(ctx, loaded, ctx.now())
        if before and after:
            ctx.table(
                "connections",
                "Open database connections of the server",
                ("before", "most during", "after", "change"),
                [(before[-1], max(during, default=None), after[-1], after[-1] - before[-1])],
            )
