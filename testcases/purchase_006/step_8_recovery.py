"""Step 8: recovery and integrity."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from qa_runner import LoadOutcome, Param, Sequential, Step, StepContext, VirtualUsers, part

from .accounting import Ledger
from .requests import purchase


class Recovery(Step):
    """Whether the API is itself again after heavy load, and whether the data is whole."""

    number = 8
    title = "Recovery and integrity"
    figure = "08_recovery_and_cleanup_verified"
    chart = "recovery"
    requires = ("baseline",)

    @part(
        "8.1",
        "Recovery after heavy load",
        users=Param(100),
        duration=Param(30.0, smoke=5.0, unit="s"),
        probes=Param(5),
        every=Param(1.0, unit="s"),
        patience=Param(30.0, unit="s"),
        requests=Param(5),
        pause=Param(2.0, smoke=0.2, unit="s", zero=True),
        word=Param("Recovery"),
        timeout=Param(10.0, unit="s"),
        seconds=lambda duration, probes, every, requests, pause, **_: (
            duration + probes * every + requests * pause
        ),
        loads=lambda users, duration, probes, every, requests, pause, **_: (
            VirtualUsers(users=users, duration_seconds=duration),
            Sequential(requests=probes, pause_seconds=every),
            Sequential(requests=requests, pause_seconds=pause),
        ),
        criteria=(
            "recovery_time < 30 s  # normal response times restored",
            "success_rate == 100 %  # all requests after the load",
            "response_time median < 2 s  # normal response time",
            "response_time_over_band <= 0 s  # no degraded performance",
            "server_restarts == 0  # no crash",
        ),
        source="Test 8.1, expected recovery",
    )
    def recovery(
        self,
        ctx: StepContext,
        *,
        users: int,
        duration: float,
        probes: int,
        every: float,
        patience: float,
        requests: int,
        pause: float,
        word: str,
        timeout: float,
    ) -> None:
        """Heavy load, then probes until they are back in the band, then normal operation."""
        band = _band(ctx.fact("baseline"))
        ctx.note(f"Band: a response time of up to {1000 * band:.0f} ms.")
        heavy = VirtualUsers(users=users, duration_seconds=duration)
        load = ctx.load(heavy, purchase(ctx, word), role="heavy", timeout=timeout)
        ctx.window("load", load.start, load.last_finished)
        seconds = _until_recovered(ctx, load, band, wanted=probes, every=every, patience=patience)
        if seconds is None:
            ctx.record("recovery_time", patience, beyond=True)
        else:
            ctx.record("recovery_time", seconds)
            ended = load.last_finished
            ctx.window("recovery", ended, ended + seconds)
        after = Sequential(requests=requests, pause_seconds=pause)
        later = ctx.load(after, purchase(ctx, f"Post {word}"), timeout=timeout)
        times = later.response_times()
        if times:
            ctx.record(
                "response_time_over_band",
                median(times) - band,
                note=f"median {1000 * median(times):.0f} ms, band up to {1000 * band:.0f} ms",
            )
        else:
            ctx.not_measured("response_time_over_band", "no request after the load succeeded")
        ctx.table(
            "band",
            "Recovery band",
            ("baseline median s", "baseline p95 s", "band s"),
            [
                (
                    ctx.fact("baseline")["median_seconds"],
                    ctx.fact("baseline")["p95_seconds"],
                    band,
                )
            ],
        )

    @part(
        "8.2",
        "Integrity of the data",
        settling=Param(1.0, unit="s", zero=True),
        criteria=(
            "orphan_transactions == 0  # no orphaned transaction records",
            "users_without_balance == 0  # all users have account balances",
            "users_without_transaction == 0  # no partial writes",
            "duplicate_payment_intents == 0  # no duplicate payment intent ids",
            "unaccounted_transactions == 0  # nothing lost, nothing invented",
            "database_check_failures == 0  # database constraints maintained",
        ),
        source="Test 8.2, expected integrity",
    )
    def integrity(self, ctx: StepContext, settling: float) -> None:
        """Over the rows of all attempts of this run, and over the whole tables."""
        ctx.sleep(settling)
        names = (
            "orphan_transactions",
            "users_without_balance",
            "users_without_transaction",
            "duplicate_payment_intents",
            "unaccounted_transactions",
            "database_check_failures",
        )
        with ctx.measuring(*names):
            _check_integrity(ctx)


def _band(baseline: Mapping[str, float]) -> float:
    """Seconds up to which a response time counts as normal again."""
    return max(2 * baseline["p95_seconds"], baseline["median_seconds"] + 0.1)


def _until_recovered(
    ctx: StepContext,
    load: LoadOutcome,
    band: float,
    *,
    wanted: int,
    every: float,
    patience: float,
) -> float | None:
    """Seconds from the load's last response to the first of ``wanted`` good probes in a row.

    None if no such row began within ``patience`` seconds.
    """
    ended = load.last_finished
    request = purchase(ctx, "Recovery Probe")
    row: list[float] = []
    due = ctx.now()
    while row or due <= ended + patience:
        ctx.sleep_until(due)
        sent = ctx.request(request, role="probe")
        times = sent.response_times()
        if times and times[0] <= band:
            row.append(sent.last_finished - ended)
            if len(row) == wanted:
                # A row that begins too late is no recovery in time.
                return row[0] if row[0] <= patience else None
        else:
            row = []
        due = max(due + every, ctx.now())
    return None


def _since(now: int | None, before: int | None) -> int:
    """How many more there are than before; 0 where that could not be counted."""
    return 0 if now is None or before is None else now - before


def _check_integrity(ctx: StepContext) -> None:
    found = ctx.integrity()
    before = ctx.database_before
    # New rows, and old ones that have become wrong since the run began.
    orphans = max(
        len(found.orphan_transactions),
        _since(found.whole.orphan_transactions, before.orphan_transactions),
    )
    duplicates = max(
        len(found.duplicate_intents),
        _since(found.whole.duplicate_intents, before.duplicate_intents),
    )
    ctx.record("orphan_transactions", orphans)
    ctx.record("users_without_balance", len(found.users_without_balance))
    ctx.record("users_without_transaction", len(found.users_without_transaction))
    ctx.record("duplicate_payment_intents", duplicates)
    ledger = Ledger.of(ctx.run_samples())
    rows = [(str(row.pk), row.email) for row in found.stored]
    missing, extra = ledger.settle(rows, ctx.run_tag, ctx.complete_loads())
    ctx.record(
        "unaccounted_transactions",
        missing + extra,
        note=f"{missing} acknowledged but not stored, {extra} stored but not acknowledged; "
        f"{sum(ledger.unknown.values())} outcomes unknown",
    )
    problems = found.whole.problems
    new: list[str] = []
    if problems is None:
        reasons = "; ".join(found.whole.reasons) or "this database has no checks of its own"
        ctx.not_measured("database_check_failures", reasons)
    else:
        new = [problem for problem in problems if problem not in (before.problems or ())]
        ctx.record("database_check_failures", len(new), note="; ".join(new[:3]))
    whole = found.whole
    ctx.table(
        "integrity",
        "Integrity",
        ("check", "this run", "whole tables", "before the run"),
        [
            (
                "transactions without a user",
                orphans,
                whole.orphan_transactions,
                before.orphan_transactions,
            ),
            (
                "users without a balance",
                len(found.users_without_balance),
                whole.users_without_balance,
                before.users_without_balance,
            ),
            (
                "users without a transaction",
                len(found.users_without_transaction),
                None,
                None,
            ),
            (
                "duplicate payment intent ids",
                duplicates,
                whole.duplicate_intents,
                before.duplicate_intents,
            ),
            ("acknowledged but not stored", missing, None, None),
            ("stored but not acknowledged", extra, None, None),
            (
                "problems found by the database",
                None if problems is None else len(new),
                None if problems is None else len(problems),
                None if before.problems is None else len(before.problems),
            ),
        ],
    )
