"""Metrics that only this test case has."""

from __future__ import annotations

import json

from qa_runner import Kind, Metric, Outcome, Table, Unit


def transaction_ids(samples: Table) -> list[str]:
    """The transaction id of every acknowledged purchase."""
    return [
        str(json.loads(extracted)["transaction_id"])
        for extracted, outcome in zip(
            samples.text("extracted"), samples.text("outcome"), strict=True
        )
        if outcome == Outcome.SUCCESS
    ]


def duplicate_transactions(samples: Table) -> float | None:
    """Acknowledged purchases whose transaction id another one had already."""
    ids = transaction_ids(samples)
    return len(ids) - len(set(ids)) if ids else None


def _count(name: str, description: str) -> Metric:
    """A number that the database tells."""
    return Metric(name, Unit.COUNT, Kind.VALUE, description, needs="database")


METRICS = (
    _count("database_probe_answers", "answers of the database probe"),
    Metric(
        "duplicate_transactions",
        Unit.COUNT,
        Kind.VALUE,
        "purchases acknowledged with the transaction id of another",
        compute=duplicate_transactions,
    ),
    Metric(
        "follow_up_time",
        Unit.SECONDS,
        Kind.VALUE,
        "until a request after the load has succeeded",
        load=True,
    ),
    Metric("peak_throughput", Unit.RATE, Kind.VALUE, "best stair's successes per s", load=True),
    Metric(
        "requests_due_deviation",
        Unit.PERCENT,
        Kind.VALUE,
        "requests due against those planned",
        load=True,
    ),
    _count("row_count_violations", "readings with rows lost or out of nowhere"),
    _count("users_added_difference", "users added against new e-mails acknowledged"),
    _count("balances_added_difference", "balances added against users added"),
    _count("unaccounted_transactions", "acknowledged but not stored, or the reverse"),
    Metric(
        "server_cpu_rise",
        Unit.PERCENT,
        Kind.VALUE,
        "server CPU under load above idle",
        needs="server",
    ),
    Metric(
        "server_cpu_from_idle",
        Unit.PERCENT,
        Kind.VALUE,
        "server CPU at the end, from idle",
        needs="server",
    ),
    Metric(
        "busiest_window_after_load",
        Unit.PERCENT,
        Kind.VALUE,
        "highest mean server CPU of a window after the load",
        needs="server",
    ),
    Metric("recovery_time", Unit.SECONDS, Kind.VALUE, "until five probes are in the band"),
    Metric(
        "response_time_over_band",
        Unit.SECONDS,
        Kind.VALUE,
        "median response time after the load, above the band",
        load=True,
    ),
    _count("orphan_transactions", "transactions without a user"),
    _count("users_without_balance", "users of this run without a balance"),
    _count("users_without_transaction", "users that a failed request left behind"),
    _count("duplicate_payment_intents", "payment intent ids used more than once"),
    _count("database_check_failures", "problems found by the database's own checks"),
)
