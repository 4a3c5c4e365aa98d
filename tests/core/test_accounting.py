"""PURCHASE-006's ledger, through the package that discovery mounts its folder as."""

from __future__ import annotations

import json
import sys
from collections import Counter
from importlib import import_module
from typing import Any

import pytest
from core_samples import sample, samples
from hypothesis import given
from hypothesis import strategies as st

from qa_runner import discovery
from qa_runner.load.plan import Outcome
from qa_runner.table import Table

_CASE = discovery.find("PURCHASE-006").case
Ledger: Any = import_module(f"{_CASE.__module__}.accounting").Ledger
metrics: Any = import_module(f"{_CASE.__module__}.metrics")

TAG = "qa0102"
LOST = (Outcome.TIMEOUT, Outcome.CONNECTION_ERROR, Outcome.CANCELLED)
REFUSED = (
    Outcome.CLIENT_ERROR,
    Outcome.THROTTLED,
    Outcome.SERVER_ERROR,
    Outcome.OTHER,
    Outcome.DROPPED,
    # A success by its status, whose body lacks what was promised: the row must not be there.
    Outcome.INVALID,
)


def mail(who: str) -> str:
    return f"{who}-{TAG}@example.com"


def sent(
    who: str, outcome: Outcome = Outcome.SUCCESS, transaction: object = None
) -> dict[str, Any]:
    extracted = "" if transaction is None else json.dumps({"transaction_id": transaction})
    return sample(outcome, key=mail(who), extracted=extracted)


def settled(table: Table, *stored: tuple[object, str | None]) -> tuple[int, int]:
    missing, extra = Ledger.of(table).settle(stored, TAG, ())
    return missing, extra


def test_the_ledger_is_mounted_beside_its_case() -> None:
    assert _CASE.__module__.startswith("_qa_runner_case_")
    assert "accounting" not in sys.modules


def test_what_was_acknowledged_and_is_stored_is_accounted_for() -> None:
    table = samples(sent("a", transaction=1), sent("b", transaction="2"))
    assert settled(table, (1, mail("a")), (2, mail("b"))) == (0, 0)


def test_what_was_acknowledged_and_is_not_stored_is_missing() -> None:
    table = samples(sent("a", transaction=1), sent("b", transaction=2))
    assert settled(table, (1, mail("a"))) == (1, 0)
    assert settled(table) == (2, 0)


def test_a_stored_row_that_nobody_was_told_of_is_extra() -> None:
    table = samples(sent("a", transaction=1))
    assert settled(table, (1, mail("a")), (2, mail("a"))) == (0, 1)
    assert settled(table, (1, mail("a")), (2, mail("nobody"))) == (0, 1)


def test_a_row_in_the_place_of_another_is_both_missing_and_extra() -> None:
    assert settled(samples(sent("a", transaction=1)), (9, mail("a"))) == (1, 1)


def test_a_lost_row_whose_id_the_next_one_got_is_missing() -> None:
    table = samples(sent("a", transaction=7), sent("b", transaction=7))
    assert settled(table, (7, mail("b"))) == (1, 0)
    unclaimed = samples(sent("a", transaction=7), sent("b", Outcome.TIMEOUT))
    assert settled(unclaimed, (7, mail("b"))) == (1, 0)


def test_a_target_that_stores_another_address_is_matched_by_id() -> None:
    assert settled(samples(sent("a", transaction=7)), (7, "account@example.com")) == (0, 0)


def test_an_id_that_was_given_twice_leaves_a_row_unaccounted() -> None:
    table = samples(sent("a", transaction=1), sent("b", transaction=1))
    assert settled(table, (1, mail("a")), (2, mail("b"))) == (1, 1)
    assert metrics.duplicate_transactions(table) == 1


@pytest.mark.parametrize("outcome", LOST)
def test_after_an_unknown_outcome_one_row_may_be_stored_or_not(outcome: Outcome) -> None:
    table = samples(sent("a", outcome))
    assert settled(table) == (0, 0)
    assert settled(table, (1, mail("a"))) == (0, 0)
    assert settled(table, (1, mail("a")), (2, mail("a"))) == (0, 1)
    assert settled(table, (1, mail("b"))) == (0, 1)


@pytest.mark.parametrize("outcome", REFUSED)
def test_a_row_left_by_a_request_that_was_refused_is_extra(outcome: Outcome) -> None:
    assert settled(samples(sent("a", outcome)), (1, mail("a"))) == (0, 1)


def test_an_address_that_is_used_twice_may_have_a_row_for_each_request() -> None:
    table = samples(sent("a", Outcome.TIMEOUT), sent("a", transaction=7))
    assert settled(table, (6, mail("a")), (7, mail("a"))) == (0, 0)
    assert settled(table, (7, mail("a"))) == (0, 0)
    assert settled(table, (5, mail("a")), (6, mail("a")), (7, mail("a"))) == (0, 1)


def test_addresses_compare_whatever_their_case() -> None:
    table = samples(sent("Anna", Outcome.TIMEOUT), sent("Bert", transaction=1))
    assert settled(table, (2, mail("aNNA").upper()), (1, mail("bert"))) == (0, 0)


def test_rows_of_others_do_not_count() -> None:
    table = samples(sent("a", transaction=1))
    others = ((2, "somebody@example.com"), (3, None), (4, ""))
    assert settled(table, (1, mail("a")), *others) == (0, 0)


def test_an_acknowledged_row_that_lost_its_user_is_stored() -> None:
    table = samples(sent("a", transaction=1))
    assert settled(table, (1, None)) == (0, 0)
    # It does not excuse another row of that address.
    assert settled(table, (1, None), (2, mail("a"))) == (0, 1)


# ---------------------------------------------------------------- loads that were cut off

FIRST, SECOND = f"{TAG}-s1-p3.1-1", f"{TAG}-s1-p3.1-12"


def row(number: int, load: str, who: str = "low1") -> tuple[int, str]:
    return number, f"{who}-{load}@example.com"


@pytest.mark.parametrize(
    ("complete", "extra"),
    [
        ((), 0),
        ((FIRST,), 1),
        ((SECOND,), 2),
        ((FIRST, SECOND), 3),
        # Tags that look alike are other loads: nothing is known of those that are stored.
        ((f"{TAG}-s2-p3.1-1", f"{TAG}-s1-p3.10-1", f"{TAG}-s1-p3.1", f"x{FIRST}"), 0),
    ],
)
def test_a_row_of_a_load_that_was_cut_off_is_no_violation(
    complete: tuple[str, ...], extra: int
) -> None:
    stored = [row(1, FIRST), row(2, SECOND), row(3, SECOND.upper(), "low2")]
    assert Ledger.of(samples()).settle(stored, TAG, set(complete)) == (0, extra)


def test_what_was_acknowledged_is_missing_whether_or_not_its_load_was_cut_off() -> None:
    key = row(1, FIRST)[1]
    table = samples(sample(key=key, extracted='{"transaction_id": 1}'))
    for complete in ((), {FIRST}):
        ledger = Ledger.of(table)
        assert ledger.settle([], TAG, complete) == (1, 0)
        assert ledger.settle([(1, key)], TAG, complete) == (0, 0)
        # The id was given out again to a row that the runner did not live to see answered.
        assert ledger.settle([row(1, FIRST, "low2")], TAG, complete) == (1, len(complete))


def test_a_row_that_an_unknown_outcome_excuses_is_excused_once_in_a_complete_load() -> None:
    key = row(1, FIRST)[1]
    table = samples(sample(Outcome.TIMEOUT, key=key))
    stored = [row(1, FIRST), row(2, FIRST)]
    assert Ledger.of(table).settle(stored, TAG, {FIRST}) == (0, 1)
    assert Ledger.of(table).settle(stored, TAG, {SECOND}) == (0, 0)


def test_the_tag_of_the_case_itself_is_found_in_its_own_addresses() -> None:
    part = import_module(f"{_CASE.__module__}.accounting")._LOAD_TAG
    for local in ("low1", "post-recovery12", "s1-p1.1-1", "connections"):
        assert part.search(f"{local}-{FIRST}@example.com")[1] == FIRST
    assert part.search(f"low1-{TAG}@example.com") is None


def test_the_ledger_counts_addresses_for_the_users_expected() -> None:
    table = samples(sent("a", transaction=1), sent("A", transaction=2), sent("b", Outcome.TIMEOUT))
    ledger = Ledger.of(table)
    assert ledger.acknowledged == Counter({mail("a"): 2})
    assert ledger.unknown == Counter({mail("b"): 1})
    assert ledger.purchases == {("1", mail("a")), ("2", mail("a"))}


_FATES = st.sampled_from(["stored", "lost", "failed", "unknown stored", "unknown lost", "invented"])


@given(st.lists(st.tuples(_FATES, st.sampled_from("abcd")), max_size=20))
def test_missing_and_extra_are_exactly_what_was_lost_and_invented(
    fates: list[tuple[str, str]],
) -> None:
    requests, stored = [], []
    for number, (fate, who) in enumerate(fates):
        if fate in ("stored", "lost"):
            requests.append(sent(who, transaction=number))
        elif fate.startswith("unknown"):
            # An address of its own: one request's row must not excuse another's.
            who = f"{who}{number}"  # noqa: PLW2901
            requests.append(sent(who, Outcome.TIMEOUT))
        elif fate == "failed":
            requests.append(sent(who, Outcome.SERVER_ERROR))
        if "stored" in fate or fate == "invented":
            stored.append((number, mail(who)))
    kinds = [fate for fate, _ in fates]
    wanted = (kinds.count("lost"), kinds.count("invented"))
    assert settled(samples(*requests), *reversed(stored)) == wanted


def test_duplicate_transactions_need_an_acknowledged_one() -> None:
    assert metrics.duplicate_transactions(samples(sent("a", Outcome.TIMEOUT))) is None
    one = samples(sent("a", transaction=1), sent("b", transaction=2))
    assert metrics.duplicate_transactions(one) == 0
