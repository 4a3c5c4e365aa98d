"""What is stored is not what was acknowledged: a row for each thing that can be wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qa_runner.report.diagnosis.evidence import Evidence
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.format import plural

__all__ = ["WRONG_ROWS", "WrongRows"]


@dataclass(frozen=True)
class WrongRows:
    """A rule: what a failed metric means, ``one`` and ``many`` being its count's nouns."""

    rule: str
    metrics: tuple[str, ...]
    one: str
    many: str
    remedy: str

    def __call__(self, evidence: Evidence) -> list[Finding]:
        """The criteria of these metrics that failed."""
        failed = [
            result
            for owner in evidence.owners
            for result in owner.failing(*self.metrics)
            if result.measured
        ]
        if not failed:
            return []
        # The metric that is named first says most.
        told = min(failed, key=lambda result: self.metrics.index(result.metric))
        said = f" ({told.note.rstrip('.')})" if told.note else ""
        cause = plural(round(abs(told.measured or 0)), self.one, self.many) + said
        return [
            Finding(
                rule=self.rule,
                cause=cause,
                remedy=self.remedy,
                explains={result.id: 1.0 for result in failed},
            )
        ]


WRONG_ROWS: tuple[Callable[[Evidence], list[Finding]], ...] = (
    WrongRows(
        "duplicates",
        ("duplicate_transactions", "duplicate_payment_intents"),
        "purchase was acknowledged or stored with the ids of another",
        "purchases were acknowledged or stored with the ids of others",
        "Give the payment intent's id a unique constraint, and take no state from outside of the "
        "request: two at once met in it.",
    ),
    WrongRows(
        "orphans",
        ("orphan_transactions",),
        "transaction was stored without its user",
        "transactions were stored without their users",
        "Make the relation to the user NOT NULL, and store both in one transaction.atomic().",
    ),
    WrongRows(
        "missing-balances",
        ("users_without_balance", "balances_added_difference"),
        "user has no account balance",
        "users have no account balance",
        "Create the balance in the same transaction.atomic() as the user; a signal handler that "
        "fails or is not connected leaves it out.",
    ),
    WrongRows(
        "partial-writes",
        ("users_without_transaction", "users_added_difference"),
        "user stands there without the transaction that the request was for",
        "users stand there without the transactions that the requests were for",
        "Put all rows of a request into one transaction.atomic(), so that a failure takes back "
        "what was written before it.",
    ),
    WrongRows(
        "unaccounted",
        ("unaccounted_transactions", "row_count_violations"),
        "transaction does not match what was acknowledged",
        "transactions do not match what was acknowledged",
        "Answer only after the commit (transaction.on_commit for what tells others), and look for "
        "code that removes or repeats rows.",
    ),
    WrongRows(
        "database-checks",
        ("database_check_failures",),
        "problem was found by the database's own checks",
        "problems were found by the database's own checks",
        "Restore the file from a backup or dump and reload it (SQLite), or validate the "
        "constraint or rebuild the index that is named (PostgreSQL).",
    ),
)
"""The rules, in order."""
