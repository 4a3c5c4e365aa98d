"""Every fault of the embedded target fails the criteria that are there to find it.

Each row runs the real command against the live target with the fault switched on:
required ⊆ failed ⊆ allowed. The same parts without the fault pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from running import Cli, criteria


@dataclass(frozen=True)
class Row:
    """Which parts to run with a fault, and what it must and may fail."""

    fault: str
    steps: tuple[str, ...]
    required: frozenset[str]
    also: frozenset[str] = frozenset()
    settings: tuple[str, ...] = ()
    seconds: float = field(default=120)

    def arguments(self) -> list[str]:
        words = ["run", "PURCHASE-006", "--profile", "smoke", "--json"]
        words += [word for step in self.steps for word in ("--step", step)]
        return words + [word for text in self.settings for word in ("--set", text)]


SHORT_WATCH = ("5.1.watch=4", "5.1.idle=1.2", "5.1.every=0.5")
DATA = ("3.2", "8.2")
TABLE = (
    Row(
        "slow",
        ("1.2", "2.1"),
        frozenset({"1.2-response-time-max", "2.1-response-time-mean"}),
        settings=("2.1.requests=3",),
    ),
    Row(
        "errors",
        ("3.1", "7.1"),
        frozenset(
            {"3.1-success-rate", "7.1-success-rate", "7.1-server-error-rate", "7.1-error-rate"}
        ),
        settings=("7.1.requests=50", "7.1.users=10"),
    ),
    Row(
        "timeouts",
        ("3.4", "7.1"),
        frozenset(
            {
                "3.4-success-rate-users-10",
                "3.4-response-time-users-50-p95",
                "7.1-success-rate",
                "7.1-timeout-rate",
                "7.1-error-rate",
            }
        ),
        also=frozenset({"3.4-peak-throughput"}),
        settings=("3.4.timeout=6", "7.1.requests=20", "7.1.users=10", "7.1.timeout=2"),
    ),
    Row(
        "lock",
        ("3.1", "5.1"),
        frozenset({"3.1-success-rate", "3.1-lock-errors", "5.1-lock-errors"}),
        settings=SHORT_WATCH,
    ),
    Row(
        "leak",
        ("4.1", "6.1"),
        frozenset(
            {
                "4.1-server-memory-slope",
                "6.1-server-memory-growth",
                "6.1-server-memory-slope",
            }
        ),
        # The pages of a late request may be touched inside the window that should be flat.
        also=frozenset({"6.1-server-memory-settled-range"}),
        settings=("6.1.every=0.4", "6.1.settling=2", "6.1.settled_window=1"),
    ),
    Row(
        "duplicates",
        ("3.1", "8.2"),
        frozenset({"3.1-duplicate-transactions", "8.2-duplicate-payment-intents"}),
        # A request answered with another's id leaves its own row unclaimed.
        also=frozenset({"8.2-unaccounted-transactions"}),
    ),
    Row(
        "orphans",
        DATA,
        frozenset({"8.2-orphan-transactions"}),
        # The user of an orphaned transaction has none.
        also=frozenset({"8.2-users-without-transaction"}),
    ),
    Row(
        "lost-writes",
        ("5.1", "8.2"),
        frozenset(
            {
                "5.1-row-count-violations",
                "5.1-unaccounted-transactions",
                "8.2-unaccounted-transactions",
            }
        ),
        also=frozenset({"8.2-users-without-transaction"}),
        settings=SHORT_WATCH,
    ),
    Row(
        "partial-writes",
        ("5.1", "8.2"),
        frozenset(
            {
                "5.1-users-added-difference",
                "5.1-balances-added-difference",
                "8.2-users-without-transaction",
            }
        ),
        also=frozenset({"8.2-users-without-balance"}),
        settings=SHORT_WATCH,
    ),
    Row(
        "restart",
        ("3.3", "7.1", "8.1"),
        frozenset({"3.3-server-restarts", "7.1-server-restarts", "8.1-server-restarts"}),
        # What was under way is lost, and for a while nobody answers.
        also=frozenset(
            {
                "3.3-success-rate",
                "3.3-follow-up-time",
                "7.1-success-rate",
                "7.1-error-rate",
                "8.1-success-rate",
            }
        ),
        settings=("8.1.duration=3", "8.1.pause=0"),
    ),
)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.fault)
def test_a_fault_fails_what_is_there_to_find_it(row: Row, cli: Cli, no_orphans: None) -> None:
    done = cli(*row.arguments(), "--fault", row.fault)
    assert done.code == 1, done.stderr
    run = done.run
    assert run["verdict"] == "FAIL"
    assert run["target"]["faults"] == [row.fault]
    # What ran first as a prerequisite is not judged.
    selected = {step["number"] for step in run["steps"] if step["selected"]}
    found = {
        k: c for k, c in criteria(run).items() if int(k.split(".")[0].split("-")[0]) in selected
    }
    failed = {name for name, criterion in found.items() if criterion["verdict"] == "FAIL"}
    assert row.required <= failed
    assert failed <= row.required | row.also
    others = {c["verdict"] for c in found.values()} - {"FAIL", "PASS", "SKIPPED"}
    assert not others


def test_the_same_parts_pass_without_a_fault(cli: Cli, no_orphans: None) -> None:
    steps = sorted({step for row in TABLE for step in row.steps})
    settings = sorted({text for row in TABLE for text in row.settings})
    everything = Row("", tuple(steps), frozenset(), settings=tuple(settings))
    done = cli(*everything.arguments())
    run = done.run
    not_passed = {k: c for k, c in criteria(run).items() if c["verdict"] not in ("PASS", "SKIPPED")}
    assert not not_passed
    assert done.code == 0
    required = {name for row in TABLE for name in row.required}
    assert required <= {name for name, c in criteria(run).items() if c["verdict"] == "PASS"}
