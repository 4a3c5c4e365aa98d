"""The error budget: the window against its definition, and the sentence that is said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qa_runner.configuration.schema import ErrorBudget
from qa_runner.load.error_window import ErrorWindow

ENDED = st.tuples(
    st.floats(min_value=0, max_value=30, allow_nan=False).map(lambda time: round(time, 2)),
    st.sampled_from(["", "", "", "HTTP 500", "timeout"]),
)
BUDGETS = st.builds(
    ErrorBudget,
    rate=st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]),
    seconds=st.sampled_from([0.5, 2.0, 10.0]),
    requests=st.integers(min_value=1, max_value=12),
)


def first_exceeded(ended: list[tuple[float, str]], budget: ErrorBudget) -> int | None:
    """By the definition: after which request more than the rate of enough requests failed."""
    for number in range(1, len(ended) + 1):
        seen = ended[:number]
        latest = max(time for time, _ in seen)
        window = [error for time, error in seen if time > latest - budget.seconds]
        failed = sum(bool(error) for error in window)
        if len(window) >= budget.requests and failed > 0 and failed / len(window) > budget.rate:
            return number
    return None


@given(st.lists(ENDED, max_size=60).map(lambda rows: sorted(rows, key=lambda row: row[0])), BUDGETS)
def test_the_window_is_as_defined(ended: list[tuple[float, str]], budget: ErrorBudget) -> None:
    window = ErrorWindow(budget)
    answers = [window.add(time, error) for time, error in ended]
    found = answers.index(True) + 1 if True in answers else None
    assert found == first_exceeded(ended, budget)


@given(st.lists(ENDED, min_size=1, max_size=60), BUDGETS)
def test_only_errors_exceed_a_budget(ended: list[tuple[float, str]], budget: ErrorBudget) -> None:
    window = ErrorWindow(budget)
    assert not any(window.add(time, "") for time, _ in ended)


def test_exactly_the_rate_is_within_the_budget() -> None:
    window = ErrorWindow(ErrorBudget(rate=0.1, seconds=10.0, requests=20))
    assert not any(window.add(float(i) / 10, "HTTP 503" if i < 2 else "") for i in range(20))
    assert window.add(2.0, "HTTP 503")


def test_what_ended_long_ago_does_not_count() -> None:
    window = ErrorWindow(ErrorBudget(rate=0.1, seconds=10.0, requests=2))
    assert window.add(0.0, "HTTP 500") is False
    assert window.add(10.0, "") is False
    assert window.add(10.1, "HTTP 500") is True


def test_the_sentence_names_rate_count_window_and_the_most_frequent_error() -> None:
    window = ErrorWindow(ErrorBudget(rate=0.1, seconds=10.0, requests=4))
    for number in range(3):
        window.add(1.0, f"HTTP 500: no id {number}")
    window.add(1.0, "connection refused")
    window.add(1.0, "")
    assert window.describe() == (
        "80 % of the requests that ended within 10 s failed (4 of 5; 10 % are allowed), "
        "most often with: HTTP 500: no id 0"
    )
