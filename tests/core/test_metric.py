from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_runner.metric import (
    METRICS,
    Kind,
    Metric,
    Unit,
    is_aggregate,
    parse_quantity,
    percentile_of,
    registry,
)


@pytest.mark.parametrize(
    ("text", "unit", "base"),
    [
        ("5 s", Unit.SECONDS, 5.0),
        ("5s", Unit.SECONDS, 5.0),
        ("250 ms", Unit.SECONDS, 0.25),
        ("20 us", Unit.SECONDS, 20e-6),
        ("2 min", Unit.SECONDS, 120.0),
        ("90 %", Unit.PERCENT, 90.0),
        ("90%", Unit.PERCENT, 90.0),
        ("50 MB", Unit.BYTES, 50e6),
        ("1 kB", Unit.BYTES, 1e3),
        ("1.5 GB", Unit.BYTES, 1.5e9),
        ("2 MiB", Unit.BYTES, 2.0 * 2**20),
        ("3 B", Unit.BYTES, 3.0),
        ("10 req/s", Unit.RATE, 10.0),
        ("0", Unit.COUNT, 0.0),
        ("-3", Unit.COUNT, -3.0),
        (".5", Unit.COUNT, 0.5),
        ("1e3", Unit.COUNT, 1000.0),
        ("5 MB per 100 requests", Unit.BYTES_PER_100_REQUESTS, 5e6),
        ("  7 kB per 100 requests  ", Unit.BYTES_PER_100_REQUESTS, 7e3),
    ],
)
def test_quantities_are_read_in_base_units(text: str, unit: Unit, base: float) -> None:
    number, name, factor = parse_quantity(text, unit)
    assert number * factor == pytest.approx(base)
    assert name in text


@pytest.mark.parametrize(
    ("text", "unit", "complaint"),
    [
        ("", Unit.SECONDS, "not a number"),
        ("fast", Unit.SECONDS, "not a number"),
        ("nan s", Unit.SECONDS, "not a number"),
        ("inf", Unit.COUNT, "not a number"),
        ("1e999 s", Unit.SECONDS, "not a number"),
        ("5 MB", Unit.SECONDS, "'s', 'ms', 'us', 'min'"),
        ("5", Unit.SECONDS, "needs a unit"),
        ("5 S", Unit.SECONDS, "unit 'S' does not fit"),
        ("5 mb", Unit.BYTES, "unit 'mb' does not fit"),
        ("5 s", Unit.COUNT, "units that do: none"),
        ("5 MB", Unit.BYTES_PER_100_REQUESTS, "'MB per 100 requests'"),
        ("5 s s", Unit.SECONDS, "does not fit"),
        ("1,5 s", Unit.SECONDS, "does not fit"),
    ],
)
def test_what_is_no_quantity_of_the_unit_is_refused(text: str, unit: Unit, complaint: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_quantity(text, unit)
    assert complaint in str(caught.value)


@given(st.text(max_size=20), st.sampled_from(Unit))
def test_any_text_is_a_finite_quantity_or_refused_with_one_line(text: str, unit: Unit) -> None:
    try:
        number, name, factor = parse_quantity(text, unit)
    except ValueError:
        return
    assert abs(number * factor) < float("inf")
    assert parse_quantity(f"{number!r} {name}", unit) == (number, name, factor)


@pytest.mark.parametrize(
    ("kind", "text", "valid"),
    [
        (Kind.VALUE, "", True),
        (Kind.VALUE, "mean", False),
        (Kind.SAMPLES, "", False),
        (Kind.SAMPLES, "mean", True),
        (Kind.SAMPLES, "p(95)", True),
        (Kind.SAMPLES, "p(99.9)", True),
        (Kind.SAMPLES, "p(0)", True),
        (Kind.SAMPLES, "p(100)", False),
        (Kind.SAMPLES, "p95", False),
        (Kind.SAMPLES, "p(-1)", False),
        (Kind.SAMPLES, "growth", False),
        (Kind.SERIES, "growth", True),
        (Kind.SERIES, "slope", True),
        (Kind.SERIES, "p(95)", True),
        (Kind.SERIES, "average", False),
    ],
)
def test_each_kind_takes_its_aggregates(kind: Kind, text: str, valid: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    assert is_aggregate(kind, text) is valid


def test_percentiles_are_read_in_percent() -> None:
    assert percentile_of("p(99.9)") == 99.9
    assert percentile_of("mean") is None


def test_a_slope_is_per_100_requests() -> None:
    memory = METRICS["server_memory"]
    assert memory.aggregate_unit("slope") is Unit.BYTES_PER_100_REQUESTS
    assert memory.aggregate_unit("growth") is Unit.BYTES


def test_a_case_adds_metrics_but_replaces_none() -> None:
    own = Metric("recovery_time", Unit.SECONDS, Kind.VALUE, "until well again")
    assert registry([own])["recovery_time"] is own
    assert "recovery_time" not in METRICS
    with pytest.raises(ValueError, match="'recovery_time' is already defined"):
        registry([own, own])
    with pytest.raises(ValueError, match="'success_rate' is already defined"):
        registry([Metric("success_rate", Unit.PERCENT, Kind.VALUE, "mine")])


def test_every_metric_is_named_as_criteria_can_name_it_and_described() -> None:
    for name, metric in METRICS.items():
        assert name == metric.name
        assert name.replace("_", "").isalnum()
        assert name.islower()
        assert metric.description
