"""Every metric against values worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
from core_samples import criterion, measure, observe, sample, samples, series

from qa_runner.criteria import judge
from qa_runner.load.plan import Outcome
from qa_runner.metric import METRICS, Kind, Metric, Unit, registry
from qa_runner.result import RecordedMetric, Window
from qa_runner.sample_metrics import told_of_inside
from qa_runner.table import SERIES, Table
from qa_runner.verdict import Verdict

# Ten requests due (the cancelled one is not), of which four succeeded.
MIXED = samples(
    sample(Outcome.SUCCESS, due=0.0, seconds=0.1),
    sample(Outcome.SUCCESS, due=1.0, seconds=0.2),
    sample(Outcome.SUCCESS, due=2.0, seconds=0.3),
    sample(Outcome.SUCCESS, due=3.0, seconds=0.4),
    sample(Outcome.SERVER_ERROR, due=4.0, seconds=0.5),
    sample(Outcome.CLIENT_ERROR, due=5.0, seconds=0.6),
    sample(Outcome.THROTTLED, due=6.0, seconds=0.7),
    sample(Outcome.TIMEOUT, due=7.0, seconds=10.0),
    sample(Outcome.CONNECTION_ERROR, due=8.0, seconds=0.001),
    sample(Outcome.DROPPED, due=9.0),
    sample(Outcome.CANCELLED, due=9.5),
)


@pytest.mark.parametrize(
    ("name", "value", "size"),
    [
        ("requests", 10, 10),
        ("success_rate", 40.0, 10),
        ("error_rate", 60.0, 10),
        ("server_error_rate", 10.0, 10),
        ("client_error_rate", 20.0, 10),  # the throttled one among them
        ("timeout_rate", 10.0, 10),
        ("connection_error_rate", 10.0, 10),
        ("dropped_iterations", 1, 10),
        ("duration", 17.0, 9),  # from due at 0 to the timeout at 7 + 10
        ("silent_failures", 0, 7),
        ("malformed_errors", 0, 3),
        ("status", 429, 7),  # the last that was answered
        # In the answered ones and the timeout; a connection refused at once makes nobody quick.
        ("response_time max", 10.0, 8),
        ("response_time min", 0.1, 8),
        ("response_time median", 0.45, 8),
        ("response_time mean", 12.8 / 8, 8),
        ("response_time range", 9.9, 8),
        ("service_time max", 10.0, 8),
    ],
)
def test_each_metric_of_a_mixed_load(name: str, value: float, size: int) -> None:
    found = measure(name, observe(MIXED))
    assert found.value == pytest.approx(value)
    assert found.sample_size == size
    assert found.reason == ""


def test_throughput_is_over_the_time_in_which_the_successes_completed() -> None:
    # Four successes from the first due at 0 to the last success at 3.4; stragglers that failed
    # do not make the server slower than it was.
    assert measure("throughput", observe(MIXED)).value == pytest.approx(4 / 3.4)
    later = samples(sample(due=5.0, seconds=1.0), sample(due=5.0, seconds=3.0))
    assert measure("throughput", observe(later)).value == pytest.approx(2 / 3)


def test_throughput_without_a_success_is_zero_if_something_was_answered() -> None:
    failed = samples(sample(Outcome.SERVER_ERROR, due=0.0), sample(Outcome.SERVER_ERROR, due=1.0))
    assert measure("throughput", observe(failed)).value == 0
    dropped = samples(sample(Outcome.DROPPED, due=0.0))
    assert measure("throughput", observe(dropped)).value is None


def test_rates_have_an_interval_in_percent_around_them() -> None:
    found = measure("success_rate", observe(MIXED))
    assert found.interval == pytest.approx((16.818, 68.733), abs=0.001)  # Wilson, 4 of 10
    everything = measure("success_rate", observe(samples(*[sample()] * 5)))
    assert everything.value == 100.0
    assert everything.interval is not None
    assert everything.interval[1] == 100.0


def test_response_time_counts_from_due_and_service_time_from_started() -> None:
    late = samples(
        sample(due=1.0, started=3.0, connected=3.5, first_byte=3.75, finished=4.0),
    )
    observation = observe(late)
    assert measure("response_time max", observation).value == 3.0
    assert measure("service_time max", observation).value == 1.0
    assert measure("connect_time max", observation).value == 0.5
    assert measure("time_to_first_byte max", observation).value == 0.75


def test_a_timeout_before_the_first_byte_has_no_time_to_it() -> None:
    observation = observe(samples(sample(seconds=0.2), sample(Outcome.TIMEOUT, seconds=10.0)))
    assert measure("time_to_first_byte max", observation).sample_size == 1
    assert measure("response_time max", observation).sample_size == 2


def test_percentiles_are_interpolated_and_a_small_sample_is_noted() -> None:
    few = observe(samples(*(sample(due=i, seconds=i + 1.0) for i in range(10))))
    found = measure("response_time p(95)", few)
    assert found.value == pytest.approx(9.55)
    assert found.note == "small sample (10)"
    assert found.interval is None
    many = observe(samples(*(sample(due=i, seconds=i + 1.0) for i in range(100))))
    found = measure("response_time p(90)", many)
    assert found.value == pytest.approx(90.1)
    assert found.note == ""
    assert found.interval is not None
    assert found.interval[0] < 90.1 < found.interval[1]


def test_the_standard_deviation_is_that_of_the_population() -> None:
    values = (2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0)
    table = samples(*(sample(due=i, seconds=value) for i, value in enumerate(values)))
    assert measure("response_time stddev", observe(table)).value == pytest.approx(2.0)


def test_drift_is_the_slope_per_request_times_their_number() -> None:
    rising = [sample(due=i, seconds=1 + 0.01 * i) for i in range(20)]
    assert measure("response_time drift", observe(samples(*rising))).value == pytest.approx(0.2)
    level = observe(samples(*(sample(due=i, seconds=1.0) for i in range(20))))
    assert measure("response_time drift", level).value == pytest.approx(0.0)


def test_drift_goes_by_the_time_due_however_the_answers_came_in() -> None:
    # Of a burst the quick answers arrive first: that is no drift.
    times = [0.5, 0.1, 0.4, 0.2, 0.3, 0.3, 0.2, 0.4, 0.1, 0.5]
    rows = [sample(due=i / 1000, seconds=seconds) for i, seconds in enumerate(times)]
    rows.sort(key=lambda row: row["finished"])
    assert measure("response_time drift", observe(samples(*rows))).value == pytest.approx(
        0, abs=1e-9
    )


def test_drift_of_a_few_requests_is_not_measured() -> None:
    found = measure("response_time drift", observe(samples(*[sample()] * 4)))
    assert found.value is None
    assert found.reason == "only 4 requests were answered"


def test_a_tag_picks_its_samples() -> None:
    table = samples(
        sample(tag="users:1", seconds=0.1),
        sample(Outcome.SERVER_ERROR, tag="users:10", seconds=0.7),
        sample(tag="users:10", seconds=0.9),
    )
    observation = observe(table)
    assert measure("success_rate{users:10}", observation).value == 50.0
    assert measure("response_time{users:1} max", observation).value == pytest.approx(0.1)
    assert measure("success_rate{users:5}", observation).value is None


def test_silent_failures_are_successes_by_status_without_a_valid_body() -> None:
    table = samples(
        sample(), sample(Outcome.INVALID), sample(Outcome.INVALID), sample(Outcome.SERVER_ERROR)
    )
    found = measure("silent_failures", observe(table))
    assert (found.value, found.sample_size) == (2, 4)


def test_malformed_errors_are_error_responses_that_are_no_json_objects() -> None:
    table = samples(
        sample(json_object=0),  # no error
        sample(Outcome.INVALID, json_object=0),  # counted as a silent failure
        sample(Outcome.CLIENT_ERROR),
        sample(Outcome.CLIENT_ERROR, json_object=0),
        sample(Outcome.THROTTLED, json_object=0),
        sample(Outcome.SERVER_ERROR, json_object=math.nan),  # nobody could tell that it is one
        sample(Outcome.OTHER, json_object=0),
        sample(Outcome.TIMEOUT),
        sample(Outcome.CONNECTION_ERROR),
    )
    found = measure("malformed_errors", observe(table))
    assert (found.value, found.sample_size) == (4, 5)


_NOBODY = (Outcome.CONNECTION_ERROR, Outcome.DROPPED, Outcome.CANCELLED)


@pytest.mark.parametrize("name", ["duration", "lock_errors", "deadlocks", "database_timeouts"])
def test_what_nobody_answered_has_no_duration_and_proves_no_absence_of_errors(name: str) -> None:
    refused = [sample(outcome, due=float(i)) for i, outcome in enumerate(_NOBODY)]
    found = measure(name, observe(samples(*refused), log_known=True))
    assert (found.value, found.reason) == (None, "no request was answered")
    answered = observe(samples(*refused, sample(Outcome.SERVER_ERROR, due=5.0)), log_known=True)
    assert measure(name, answered).value is not None


@pytest.mark.parametrize("aggregate", ["max", "mean", "median", "p(95)", "stddev", "drift"])
@pytest.mark.parametrize("outcome", [Outcome.CONNECTION_ERROR, Outcome.DROPPED])
def test_response_times_need_at_least_half_of_the_requests_due(
    aggregate: str, outcome: Outcome
) -> None:
    good = [sample(due=float(i)) for i in range(10)]
    cancelled = [sample(Outcome.CANCELLED, due=9.0)] * 30  # were never due
    half = samples(*good, *[sample(outcome, due=9.0)] * 10, *cancelled)
    assert measure(f"response_time {aggregate}", observe(half)).value is not None
    fewer = samples(*good, *[sample(outcome, due=9.0)] * 11, *cancelled)
    found = measure(f"response_time {aggregate}", observe(fewer))
    assert (found.value, found.reason) == (None, "only 10 of 21 requests were answered")
    # The time that the server took for those that it served is what it is.
    assert measure(f"service_time {aggregate}", observe(fewer)).value is not None


def test_the_half_is_that_of_the_requests_of_the_tag() -> None:
    table = samples(
        *[sample(tag="users:1")] * 2,
        sample(tag="users:50"),
        *[sample(Outcome.CONNECTION_ERROR, tag="users:50")] * 2,
    )
    observation = observe(table)
    assert measure("response_time{users:1} max", observation).value == pytest.approx(0.1)
    found = measure("response_time{users:50} max", observation)
    assert found.reason == "only 1 of 3 requests were answered"


# ---------------------------------------------------------------- Server-Timing


def test_what_responses_told_of_the_time_inside_is_measured() -> None:
    table = samples(
        sample(due=0.0, application_seconds=0.3, database_seconds=0.01, queries=7),
        sample(due=1.0, database_seconds=0.03, queries=9),
        sample(Outcome.SERVER_ERROR, due=2.0, application_seconds=0.5),
        sample(due=3.0),
    )
    assert measure("application_time max", observe(table)).value == pytest.approx(0.5)
    assert measure("database_time max", observe(table)).value == pytest.approx(0.03)
    found = measure("query_count range", observe(table))
    assert (found.value, found.sample_size) == (2, 2)
    assert told_of_inside(table) == {"application_time", "database_time", "query_count"}


def test_what_no_response_told_is_not_measured() -> None:
    table = samples(sample(application_seconds=0.2), sample())
    assert told_of_inside(table) == {"application_time"}
    found = measure("database_time p(95)", observe(table))
    assert found.reason == "no response told it in its Server-Timing header"
    refused = samples(sample(Outcome.CONNECTION_ERROR))
    assert measure("database_time max", observe(refused)).reason == "no request was answered"
    assert told_of_inside(refused) == set()


def test_queries_of_requests_that_failed_do_not_count() -> None:
    failing = [sample(Outcome.SERVER_ERROR, due=float(at), queries=4) for at in range(30)]
    later = [sample(due=30.0 + at, queries=7) for at in range(30)]
    found = measure("query_count drift", observe(samples(*failing, *later)))
    assert (found.value, found.sample_size) == (0, 30)
    assert measure("query_count drift", observe(samples(*failing))).reason == "no request succeeded"
    few = measure("query_count drift", observe(samples(*failing, *later[:3])))
    assert few.reason == "only 3 requests succeeded"


def test_queries_that_grow_with_the_rows_drift_and_single_odd_ones_do_not() -> None:
    def drift(counts: list[int]) -> float | None:
        rows = [sample(due=float(at), queries=count) for at, count in enumerate(counts)]
        return measure("query_count drift", observe(samples(*rows))).value

    assert drift([7] * 60) == 0
    assert drift([7] * 45 + [4] + [7] * 14) == 0  # a student who is known already
    growing = drift([7 + at // 10 for at in range(60)])
    assert growing is not None
    assert growing > 5


# ---------------------------------------------------------------- series of the monitors


def memory(*readings: tuple[float, float], **more: Any) -> dict[str, Table]:
    rows = [{"time": t, "rss_bytes": rss, "processes": 1, **more} for t, rss in readings]
    return {"server": series("server", *rows)}


def test_growth_is_last_less_first_within_the_window() -> None:
    given_ = memory((0, 1e6), (10, 50e6), (15, 90e6), (20, 60e6), (30, 500e6))
    found = measure("server_memory growth", observe(series=given_, start=10, end=20))
    assert (found.value, found.sample_size) == (10e6, 3)
    assert measure("server_memory max", observe(series=given_, start=10, end=20)).value == 90e6
    assert measure("server_memory range", observe(series=given_, start=10, end=20)).value == 40e6


def test_readings_without_a_value_are_left_out() -> None:
    given_ = memory((10, math.nan), (11, 50e6), (12, 51e6), (13, math.nan))
    found = measure("server_memory growth", observe(series=given_, end=13))
    assert (found.value, found.sample_size) == (1e6, 2)


@pytest.mark.parametrize("aggregate", ["growth", "range", "drift", "slope"])
def test_one_reading_shows_no_change(aggregate: str) -> None:
    found = measure(f"server_memory {aggregate}", observe(series=memory((10, 5e6)), end=12))
    assert (found.value, found.reason) == (None, "no reading of the monitor in this window")


ENDED = "the server ended or was restarted in this window"


def server(*readings: tuple[float, float, float]) -> dict[str, Table]:
    """Time, restarts so far, and how many processes were found."""
    rows = [
        {"time": t, "restarts": n, "processes": found}
        | ({"rss_bytes": 1e6 * t, "cpu_percent": t, "database_handles": t} if found else {})
        for t, n, found in readings
    ]
    return {"server": series("server", *rows)}


@pytest.mark.parametrize(
    "asked",
    [
        "server_memory growth",
        "server_memory max",
        "server_cpu p(95)",
        "database_connections growth",  # of SQLite: the descriptors that the server has open
    ],
)
@pytest.mark.parametrize(
    ("readings", "reason"),
    [
        ([(5, 0, 1), (10, 0, 1), (15, 0, 1), (20, 0, 1), (25, 1, 1)], ""),  # only afterwards
        ([(5, 0, 1), (10, 4, 1), (15, 4, 1), (20, 4, 1)], ""),  # only before
        ([(10, 0, 1), (15, 1, 1), (20, 1, 1)], ENDED),
        ([(10, 0, 1), (15, 0, 1), (20, 1, 1)], ENDED),
        ([(10, 0, 1), (15, 0, 0), (20, 0, 1)], ENDED),
        ([(10, 0, 1), (15, 0, 1), (20, 1, 0)], ENDED),
    ],
)
def test_readings_of_a_server_that_ended_in_between_are_not_compared(
    asked: str, readings: list[tuple[float, float, float]], reason: str
) -> None:
    found = measure(asked, observe(series=server(*readings), start=10, end=20))
    assert found.reason == reason
    assert (found.value is None) is bool(reason)


def test_a_restart_elsewhere_in_the_run_leaves_a_named_window_as_it_is() -> None:
    given_ = server((10, 0, 1), (12, 0, 1), (15, 1, 1), (18, 1, 1), (20, 1, 1))
    windows = {"settled": Window(name="settled", start=15, end=20)}
    observation = observe(series=given_, start=10, end=20, windows=windows)
    assert measure("server_memory{settled} growth", observation).value == 5e6
    assert measure("server_memory growth", observation).reason == ENDED


def test_what_the_database_counts_does_not_hang_on_the_server() -> None:
    rows = [{"time": float(t), "query_seconds": 0.01, "connections": t} for t in range(10, 21)]
    given_ = server((10, 0, 1), (15, 1, 1), (20, 1, 1)) | {"database": series("database", *rows)}
    observation = observe(series=given_, start=10, end=20)
    assert measure("query_time median", observation).value == 0.01
    assert measure("database_connections growth", observation).value == 10


@pytest.mark.parametrize(
    ("asked", "unit", "name", "column"),
    [
        ("server_memory max", "MB", "server", "rss_bytes"),
        ("server_cpu p(95)", "%", "server", "cpu_percent"),
        ("query_time median", "s", "database", "query_seconds"),
        ("database_connections growth", "", "database", "connections"),
        ("database_connections growth", "", "server", "database_handles"),
    ],
)
def test_readings_that_end_before_the_window_does_are_not_measured(
    asked: str, unit: str, name: str, column: str
) -> None:
    rows = [{"time": float(t), column: 1.0} for t in range(5, 21)]
    if name == "server":
        rows = [{**row, "processes": 1, "restarts": 0} for row in rows]
    given_ = {name: series(name, *rows)}
    assert measure(asked, observe(series=given_, start=10, end=25)).value is not None
    late = measure(asked, observe(series=given_, start=10, end=25.5))
    assert (late.value, late.reason) == (
        None,
        "the readings end 6 s before the window does",
    )
    given_ = {name: series(name, *(row for row in rows if row["time"] < 19))}
    reasons = {name: "permission denied"}
    told = measure(asked, observe(series=given_, start=10, end=25, reasons=reasons))
    assert told.value is None
    assert told.reason == "the readings end 7 s before the window does: permission denied"
    rule = criterion(f"{asked} >= 0 {unit}")
    assert judge(rule, told).verdict is Verdict.INCONCLUSIVE


def test_slope_is_per_100_requests_over_the_last_two_thirds_of_the_load() -> None:
    # 30 requests, one a second; memory jumps at the start and then grows 1 kB a request.
    table = samples(*(sample(due=i, seconds=1.0) for i in range(30)))
    readings = [(t, 9e6 * (t >= 5) + 1000.0 * t) for t in range(31)]
    quiet = [(float(t), 99e6) for t in range(31, 60)]  # after the load nothing counts
    observation = observe(table, series=memory(*readings, *quiet), end=60)
    found = measure("server_memory slope", observation)
    assert found.value == pytest.approx(100_000)
    assert found.sample_size == 21  # from the 10th request finished to the 30th
    assert METRICS["server_memory"].aggregate_unit("slope") is Unit.BYTES_PER_100_REQUESTS


def test_slope_without_requests_or_with_few_readings_is_not_measured() -> None:
    readings = memory(*((float(t), 1e6) for t in range(30)))
    unsent = measure("server_memory slope", observe(series=readings, end=30))
    assert (unsent.value, unsent.reason) == (None, "no request was finished")
    few = samples(*(sample(due=i, seconds=1.0) for i in range(5)))
    short = measure("server_memory slope", observe(few, series=readings, end=30))
    assert (short.value, short.reason) == (None, "too few readings during the load")


def test_drift_of_a_series_is_its_slope_over_the_window() -> None:
    rows = [{"time": float(t), "query_seconds": 0.01 + 0.002 * t} for t in range(11)]
    observation = observe(series={"database": series("database", *rows)}, start=0, end=10)
    assert measure("query_time drift", observation).value == pytest.approx(0.02)
    assert measure("query_time median", observation).value == pytest.approx(0.02)
    short = observe(series={"database": series("database", *rows[:4])}, end=5)
    assert measure("query_time drift", short).reason == "only 4 readings in this window"


def test_server_cpu_is_a_percentile_over_the_window() -> None:
    rows = [{"time": float(t), "cpu_percent": 10.0 * t} for t in range(11)]
    observation = observe(series={"server": series("server", *rows)}, start=0, end=10)
    assert measure("server_cpu p(95)", observation).value == pytest.approx(95.0)
    assert measure("server_cpu mean", observation).value == pytest.approx(50.0)


def test_database_connections_are_what_the_database_counts_else_what_the_server_has_open() -> None:
    handles = series(
        "server",
        {"time": 1.0, "database_handles": 3.0},
        {"time": 2.0, "database_handles": 4.0},
    )
    counted = series(
        "database", {"time": 1.0, "connections": 10.0}, {"time": 2.0, "connections": 17.0}
    )
    unknown = series("database", {"time": 1.0}, {"time": 2.0})
    both = observe(series={"server": handles, "database": counted}, end=5)
    assert measure("database_connections growth", both).value == 7
    sqlite = observe(series={"server": handles, "database": unknown}, end=5)
    assert measure("database_connections growth", sqlite).value == 1
    # A database elsewhere, whose server has no process here.
    remote = observe(series={"database": counted}, end=5)
    assert measure("database_connections growth", remote).value == 7


def test_a_named_window_is_read_instead_of_that_of_the_part() -> None:
    given_ = memory((0, 1e6), (10, 50e6), (18, 51e6), (19, 53e6), (20, 52e6))
    windows = {"settled": Window(name="settled", start=18, end=20)}
    observation = observe(series=given_, windows=windows)
    assert measure("server_memory{settled} range", observation).value == 2e6
    found = measure("server_memory{load} range", observation)
    assert found.value is None
    assert "did not mark the window 'load'" in found.reason


def restarts(*readings: tuple[float, float, float]) -> dict[str, Table]:
    rows = [{"time": t, "restarts": n, "processes": found} for t, n, found in readings]
    return {"server": series("server", *rows)}


@pytest.mark.parametrize(
    ("readings", "wanted"),
    [
        ([(5, 0, 1), (15, 0, 1), (25, 0, 1)], 0),
        ([(5, 2, 1), (15, 2, 1), (25, 2, 1)], 0),  # of before the window
        ([(5, 2, 1), (15, 3, 1), (18, 5, 1), (25, 9, 1)], 3),
        ([(5, 2, 1), (15, 3, 0), (18, 3, 0)], 1),  # ended, and did not come back
        ([(10, 1, 1), (20, 2, 1)], 1),  # readings at the edges count
        ([(12, 0, 1), (20, 0, 1)], 0),
    ],
)
def test_restarts_are_those_within_the_window(
    readings: list[tuple[float, float, float]], wanted: int
) -> None:
    observation = observe(series=restarts(*readings), start=10, end=20)
    assert measure("server_restarts", observation).value == wanted


@pytest.mark.parametrize(
    "readings",
    [[], [(5, 0, 1)], [(25, 0, 1)], [(5, 0, 0), (15, 0, 0)], [(15, math.nan, 1)]],
)
def test_restarts_of_a_server_nobody_saw_are_not_measured(
    readings: list[tuple[float, float, float]],
) -> None:
    observation = observe(series=restarts(*readings), start=10, end=20)
    result = judge(criterion("server_restarts == 0"), measure("server_restarts", observation))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason


# ---------------------------------------------------------------- the server's log


def log(*lines: tuple[float, str, str]) -> dict[str, Table]:
    rows = [{"time": t, "level": level, "kind": kind} for t, level, kind in lines]
    return {"log": series("log", *rows)}


LOCKED = sample(Outcome.SERVER_ERROR, excerpt='{"error": "database is locked"}')
KINDS = {
    "lock_errors": ("lock", "OperationalError: database is locked"),
    "deadlocks": ("deadlock", "deadlock detected"),
    "database_timeouts": ("timeout", "canceling statement due to statement timeout"),
}


@pytest.mark.parametrize("name", KINDS)
def test_database_errors_are_counted_by_kind_in_log_or_responses(name: str) -> None:
    kind, text = KINDS[name]
    in_bodies = samples(
        sample(Outcome.SERVER_ERROR, excerpt=text), sample(Outcome.SERVER_ERROR, excerpt=text)
    )
    lines = log((1, "ERROR", kind), (2, "ERROR", kind), (3, "WARNING", kind), (4, "ERROR", "other"))
    both = observe(in_bodies, series=lines, log_known=True)
    assert measure(name, both).value == 3  # each request may have left both: the larger count
    assert measure(name, observe(in_bodies, log_known=True)).value == 2
    outside = observe(in_bodies, series=lines, log_known=True, start=2, end=2.5)
    assert measure(name, outside).value == 2
    for other in KINDS.keys() - {name}:
        assert measure(other, both).value == 0


def test_without_a_log_errors_in_bodies_count_and_none_there_prove_nothing() -> None:
    found = measure("lock_errors", observe(samples(LOCKED)))
    assert found.value == 1
    assert "log not known" in found.note
    nothing = measure("lock_errors", observe(samples(sample())))
    assert nothing.value is None
    assert nothing.reason == "the server's log is not known"
    told = observe(samples(sample()), reasons={"log": "server.log was removed"})
    assert measure("lock_errors", told).reason == "server.log was removed"


def test_server_errors_without_an_error_in_the_log_are_counted() -> None:
    table = samples(*[sample(Outcome.SERVER_ERROR)] * 3, sample())
    lines = log((1, "ERROR", "server-error"), (2, "WARNING", "lock"), (3, "INFO", "other"))
    found = measure("unlogged_server_errors", observe(table, series=lines, log_known=True))
    assert (found.value, found.sample_size) == (2, 3)
    critical = log(*((float(t), "CRITICAL", "other") for t in range(5)))
    assert (
        measure("unlogged_server_errors", observe(table, series=critical, log_known=True)).value
        == 0
    )
    # Where there are Django's own records of requests, a project's own exceptions beside them
    # are of the same requests.
    texts = ("Internal Server Error: /api/", "could not charge", "Internal Server Error: /api/")
    rows = [
        {"time": float(t), "level": "ERROR", "kind": "other", "text": text}
        for t, text in enumerate(texts)
    ]
    pairs = observe(table, series={"log": series("log", *rows)}, log_known=True)
    assert measure("unlogged_server_errors", pairs).value == 1
    own = observe(table, series={"log": series("log", rows[1])}, log_known=True)
    assert measure("unlogged_server_errors", own).value == 2
    warned = [{**row, "level": "WARNING"} for row in rows]
    below = observe(table, series={"log": series("log", *warned)}, log_known=True)
    assert measure("unlogged_server_errors", below).value == 3
    assert measure("unlogged_server_errors", observe(table)).value is None
    nobody = observe(samples(sample(Outcome.DROPPED)), log_known=True)
    assert measure("unlogged_server_errors", nobody).value is None


# ---------------------------------------------------------------- recorded, computed, saturated


def test_what_a_step_records_is_taken_with_its_tag_note_and_reason() -> None:
    recorded = {
        ("server_processes", ""): RecordedMetric(
            name="server_processes", value=3, unit="count", note="a master"
        ),
        ("throughput", "late"): RecordedMetric(
            name="throughput", value=None, unit="req/s", reason="nobody came"
        ),
        ("duration", ""): RecordedMetric(name="duration", value=30, unit="s", beyond=True),
        ("status", ""): RecordedMetric(name="status", value=None, unit="", failed=True),
    }
    observation = observe(recorded=recorded)
    found = measure("server_processes", observation)
    assert (found.value, found.note) == (3, "a master")
    assert measure("throughput{late}", observation).reason == "nobody came"
    assert measure("duration", observation).beyond
    assert measure("status", observation).failed


def test_what_a_step_did_not_record_is_not_measured() -> None:
    found = measure("server_processes", observe())
    assert (found.value, found.reason) == (None, "the step did not record it")


def _broken(_table: Table) -> float:
    raise KeyError("transaction_id")


OWN = registry(
    [
        Metric("counted", Unit.COUNT, Kind.VALUE, "", compute=lambda table: float(len(table))),
        Metric("absent", Unit.COUNT, Kind.VALUE, "", compute=lambda _table: None),
        Metric("broken", Unit.COUNT, Kind.VALUE, "", compute=_broken),
        Metric("own_samples", Unit.SECONDS, Kind.SAMPLES, ""),
        Metric("own_series", Unit.SECONDS, Kind.SERIES, ""),
    ]
)


def test_a_metric_of_the_case_is_computed_from_the_samples_judged() -> None:
    observation = observe(samples(sample(tag="a"), sample(tag="b")), metrics=OWN)
    assert measure("counted", observation, OWN).value == 2
    assert measure("counted{a}", observation, OWN).value == 1
    assert measure("absent", observation, OWN).value is None


@pytest.mark.parametrize("asked", ["broken", "own_samples mean", "own_series growth"])
def test_a_metric_of_the_case_that_cannot_be_computed_is_not_measured(asked: str) -> None:
    found = measure(asked, observe(samples(sample()), metrics=OWN), OWN)
    assert found.value is None
    assert found.reason
    if asked == "broken":
        assert "KeyError: 'transaction_id'" in found.reason


SATURATED = "its CPU reached 99 % of a core"
DELIVERED = MIXED.where(~MIXED.text_equals("outcome", str(Outcome.DROPPED)))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("success_rate == 100 %", Verdict.ERROR),
        ("response_time max < 1 s", Verdict.ERROR),
        ("success_rate >= 40 %", Verdict.PASS),
        ("server_memory growth < 1 MB", Verdict.FAIL),
        ("silent_failures == 9", Verdict.FAIL),
    ],
)
def test_a_saturated_generator_spoils_only_failures_of_load(text: str, wanted: Verdict) -> None:
    given_ = memory((1, 1e6), (2, 9e6))
    observation = observe(DELIVERED, series=given_, end=5, saturated=SATURATED)
    own = criterion(text)
    result = judge(own, observation.measure(own))
    assert result.verdict is wanted
    if own.load:
        assert "its CPU reached 99 % of a core" in result.note
        assert result.sample_size
    assert judge(own, observe(DELIVERED, series=given_, end=5).measure(own)).verdict in (
        Verdict.PASS,
        Verdict.FAIL,
    )


def test_a_note_stays_beside_the_saturation() -> None:
    recorded = {
        ("duration", ""): RecordedMetric(name="duration", value=9, unit="s", note="failed: 500")
    }
    found = measure("duration", observe(recorded=recorded, saturated=SATURATED))
    assert "failed: 500" in found.note
    assert "saturated" in found.note


def _everything() -> list[str]:
    aggregates = {
        Kind.VALUE: [""],
        Kind.SAMPLES: [" mean", " p(95)", " drift", " stddev"],
        Kind.SERIES: [" mean", " p(95)", " drift", " growth", " slope", " range"],
    }
    return [f"{m.name}{a}" for m in METRICS.values() for a in aggregates[m.kind]]


@pytest.mark.parametrize("asked", _everything())
def test_no_data_is_a_reason_and_never_a_value(asked: str) -> None:
    for observation in (
        observe(),
        observe(log_known=False),
        observe(samples(sample(Outcome.CANCELLED))),
    ):
        found = measure(asked, observation)
        assert found.value is None
        assert found.reason


@pytest.mark.parametrize("asked", _everything())
def test_the_reason_of_a_monitor_stands_at_the_criteria_that_need_it(asked: str) -> None:
    name = asked.split(" ", maxsplit=1)[0]
    if METRICS[name].kind is not Kind.SERIES and name != "server_restarts":
        return
    reasons = dict.fromkeys(SERIES, "permission denied")
    assert measure(asked, observe(reasons=reasons)).reason == "permission denied"


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([sample() for _ in range(20)], Verdict.PASS),
        ([*(sample() for _ in range(20)), sample(Outcome.DROPPED)], Verdict.ERROR),
        ([sample(started=0.5, seconds=0.6) for _ in range(20)], Verdict.ERROR),
    ],
    ids=["delivered", "dropped", "late"],
)
def test_under_saturation_a_pass_needs_the_intended_load(
    rows: list[dict[str, Any]], wanted: Verdict
) -> None:
    observation = observe(samples(*rows), saturated=SATURATED)
    rule = criterion("success_rate >= 50 %")
    assert judge(rule, observation.measure(rule)).verdict is wanted


@pytest.mark.parametrize(
    ("delays", "late"),
    [
        ([0.0] * 20, False),
        ([0.099] * 20, False),
        ([0.0] * 20 + [5.0], False),  # one of twenty-one, as after a hiccup
        ([0.1] * 20, True),
        ([0.0] * 9 + [0.2, 0.2], True),
    ],
)
@pytest.mark.parametrize("saturated", ["", SATURATED])
def test_requests_that_started_late_spoil_criteria_of_load_whatever_the_readings_say(
    delays: list[float], saturated: str, *, late: bool
) -> None:
    rows = [
        sample(due=float(i), started=i + delay, finished=i + delay + 0.1)
        for i, delay in enumerate(delays)
    ]
    observation = observe(samples(*rows), saturated=saturated)
    for text in ("success_rate >= 50 %", "response_time max < 1 us"):
        rule = criterion(text)
        found = observation.measure(rule)
        assert (found.invalid, found.undelivered) == (late or bool(saturated), late)
        verdict = judge(rule, found).verdict
        if late:
            assert verdict is Verdict.ERROR
            assert "load generator saturated: " in found.note
            assert (saturated or "requests started up to ") in found.note
        elif not saturated:
            assert found.note.find("saturated") == -1
            assert verdict is (Verdict.PASS if "rate" in text else Verdict.FAIL)
    other = observation.measure(criterion("silent_failures == 0"))
    assert (other.invalid, other.undelivered, other.value) == (False, False, 0)


def test_the_delay_is_said_in_milliseconds() -> None:
    rows = [sample(due=float(i), started=i + 0.25, finished=i + 0.5) for i in range(20)]
    found = measure("success_rate", observe(samples(*rows)))
    assert found.note.endswith("requests started up to 250 ms after they were due")
