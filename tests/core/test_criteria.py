from __future__ import annotations

import math

import pytest
from core_samples import criterion, judged, run_result, step_result
from hypothesis import given
from hypothesis import strategies as st

from qa_runner.criteria import Measurement, judge, override, parse
from qa_runner.errors import CriterionError
from qa_runner.metric import METRICS
from qa_runner.result import decode, encode
from qa_runner.verdict import Verdict

# ---------------------------------------------------------------- parse


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("success_rate == 100 %", ("1.1-success-rate", "", "", "==", 100.0, "%", 1.0)),
        ("success_rate>=90%", ("1.1-success-rate", "", "", ">=", 90.0, "%", 1.0)),
        ("response_time p(95) < 5 s", ("1.1-response-time-p95", "", "p(95)", "<", 5.0, "s", 1.0)),
        (
            "response_time p(99.9) <= 250 ms",
            ("1.1-response-time-p99.9", "", "p(99.9)", "<=", 250.0, "ms", 1e-3),
        ),
        (
            "response_time{users:50} p(95) < 5 s",
            ("1.1-response-time-users-50-p95", "users:50", "p(95)", "<", 5.0, "s", 1.0),
        ),
        (
            "server_memory{settled} range < 5 MB",
            ("1.1-server-memory-settled-range", "settled", "range", "<", 5.0, "MB", 1e6),
        ),
        (
            "server_memory slope < 5 MB per 100 requests",
            ("1.1-server-memory-slope", "", "slope", "<", 5.0, "MB per 100 requests", 1e6),
        ),
        ("server_processes > 0", ("1.1-server-processes", "", "", ">", 0.0, "", 1.0)),
        ("  lock_errors  ==  0  ", ("1.1-lock-errors", "", "", "==", 0.0, "", 1.0)),
    ],
)
def test_what_an_author_writes_is_read(text: str, wanted: tuple[object, ...]) -> None:
    found = criterion(text)
    read = (found.id, found.tag, found.aggregate, found.operator, found.limit, found.unit)
    assert (*read, found.factor) == wanted
    assert found.wish == ""
    assert found.source == "the text"


def test_the_wish_of_the_text_stands_behind_a_hash() -> None:
    found = criterion("success_rate >= 90 %  # most # of them  ")
    assert found.wish == "most # of them"
    assert "#" not in found.expression


def test_a_criterion_knows_of_its_metric_whether_it_is_of_load_and_what_it_requires() -> None:
    assert criterion("success_rate == 100 %").load
    assert not criterion("server_memory growth < 50 MB").load
    assert criterion("unlogged_server_errors == 0").requires == "server_log"
    assert criterion("database_time p(95) < 100 ms").requires == "database_time"


def test_a_criterion_over_a_step_has_its_number() -> None:
    assert parse("success_rate >= 90 %", "3", METRICS).id == "3-success-rate"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#",
        "success_rate",
        "success_rate 90 %",
        "success_rate = 90 %",
        "success_rate != 90 %",
        "success_rate =< 90 %",
        "success_rate >= ",
        ">= 90 %",
        "Success_Rate >= 90 %",
        "success_rate >= 90 % and more",
        "response_time p(95 < 5 s",
        "response_time{users:50 p(95) < 5 s",
        "response_time{} p(95) < 5 s",
        "success_rate\n>=\n90 %\nresponse_time",
    ],
)
def test_what_does_not_parse_is_refused_in_one_line_that_names_criterion_and_owner(
    text: str,
) -> None:
    with pytest.raises(CriterionError) as caught:
        criterion(text, owner="3.2")
    assert "of 3.2" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("succes_rate >= 90 %", "Did you mean success_rate?"),
        ("bananas == 3", "unknown metric 'bananas'"),
        ("response_time < 5 s", "no aggregate for response_time; it takes mean, median"),
        ("response_time average < 5 s", "aggregate 'average'"),
        ("response_time p(100) < 5 s", "aggregate 'p(100)'"),
        ("response_time growth < 5 s", "aggregate 'growth'"),
        ("server_memory lowest < 5 MB", "growth or slope"),
        ("success_rate mean >= 90 %", "it takes none"),
        ("response_time mean < 5 MB", "unit 'MB' does not fit"),
        ("response_time mean < 5", "needs a unit"),
        ("lock_errors == 0 %", "unit '%' does not fit"),
        ("server_memory slope < 5 MB", "MB per 100 requests"),
        ("success_rate == 1e400 %", "not a number"),
    ],
)
def test_unknown_metric_aggregate_or_unit_is_named_with_what_would_do(text: str, said: str) -> None:
    with pytest.raises(CriterionError) as caught:
        criterion(text)
    assert said in str(caught.value)
    assert text in str(caught.value)


_LIMITS = st.floats(allow_nan=False, allow_infinity=False, width=64).map(repr)
_ANY = st.one_of(
    st.tuples(
        st.sampled_from(["success_rate", "error_rate{users:10}"]),
        st.just(""),
        st.just(" %"),
    ),
    st.tuples(
        st.sampled_from(["response_time", "service_time{users:2}"]),
        st.sampled_from([" mean", " p(95)", " p(99.9)", " stddev", " drift"]),
        st.sampled_from([" s", " ms", " us", " min"]),
    ),
    st.tuples(
        st.sampled_from(["server_memory", "server_memory{settled}"]),
        st.sampled_from([" growth", " range", " max"]),
        st.sampled_from([" MB", " bytes", " GB", " MiB"]),
    ),
    st.tuples(st.just("requests"), st.just(""), st.just("")),
)


@given(_ANY, st.sampled_from(["<", "<=", ">", ">=", "=="]), _LIMITS)
def test_the_expression_of_a_criterion_reads_back_as_the_same_criterion(
    parts: tuple[str, str, str], operator: str, limit: str
) -> None:
    metric, aggregate, unit = parts
    first = criterion(f"{metric}{aggregate} {operator} {limit}{unit}")
    again = criterion(first.expression)
    assert again == first
    assert again.expression == first.expression


@pytest.mark.parametrize(
    ("limit", "shown"),
    [
        ("5 s", "5 s"),
        ("0.5 s", "0.5 s"),
        ("5.0 s", "5 s"),
        ("1234567 us", "1234567 us"),
        ("99.99999 s", "99.99999 s"),
        ("-1 s", "-1 s"),
    ],
)
def test_limits_are_shown_as_they_are(limit: str, shown: str) -> None:
    assert criterion(f"response_time max < {limit}").limit_text == shown


# ---------------------------------------------------------------- judge


@pytest.mark.parametrize(
    ("text", "below", "at", "above"),
    [
        ("response_time max < 2 s", "PASS", "FAIL", "FAIL"),
        ("response_time max <= 2 s", "PASS", "PASS", "FAIL"),
        ("response_time max > 2 s", "FAIL", "FAIL", "PASS"),
        ("response_time max >= 2 s", "FAIL", "PASS", "PASS"),
        ("response_time max == 2 s", "FAIL", "PASS", "FAIL"),
    ],
)
def test_each_operator_below_at_and_above_its_limit(
    text: str, below: str, at: str, above: str
) -> None:
    found = [judged(text, value).verdict for value in (1.999, 2.0, 2.001)]
    assert found == [below, at, above]


def test_values_are_compared_and_shown_in_the_unit_of_the_criterion() -> None:
    found = judged("server_memory growth < 50 MB", 49.5e6, interval=(40e6, 60e6), sample_size=7)
    assert found.measured == 49.5
    assert found.interval == (40.0, 60.0)
    assert found.unit == "MB"
    assert found.sample_size == 7
    assert found.verdict is Verdict.PASS
    assert judged("response_time max < 100 ms", 0.1).verdict is Verdict.FAIL
    assert judged("response_time max < 100 ms", 0.0999).verdict is Verdict.PASS


@pytest.mark.parametrize("count", [1, 3, 7, 50, 240, 999])
def test_all_of_any_number_is_exactly_100_percent(count: int) -> None:
    assert judged("success_rate == 100 %", 100.0 * count / count).verdict is Verdict.PASS
    assert judged("success_rate == 100 %", 100.0 * (count - 1) / count).verdict is Verdict.FAIL


def test_nine_of_ten_is_at_least_90_percent() -> None:
    assert judged("success_rate >= 90 %", 100.0 * 9 / 10).verdict is Verdict.PASS
    assert judged("success_rate >= 95 %", 100.0 * 228 / 240).verdict is Verdict.PASS


def test_the_interval_informs_and_never_decides() -> None:
    found = judged("success_rate >= 90 %", 90.0, interval=(10.0, 100.0))
    assert found.verdict is Verdict.PASS


def test_what_was_not_measured_is_inconclusive_with_the_reason() -> None:
    found = judged("success_rate >= 0 %", None, reason="no request was due")
    assert (found.verdict, found.measured) == (Verdict.INCONCLUSIVE, None)
    assert found.reason == "no request was due"
    assert judged("success_rate >= 0 %", None).reason == "not measured"


def test_what_was_not_measured_under_a_saturated_generator_is_inconclusive() -> None:
    assert judged("success_rate >= 0 %", None, invalid=True).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "=="])
def test_what_did_not_come_about_fails_without_a_value(operator: str) -> None:
    found = judged(f"response_time max {operator} 0 s", None, failed=True, reason="HTTP 500")
    assert (found.verdict, found.measured, found.reason) == (Verdict.FAIL, None, "HTTP 500")
    found = judged("response_time max < 2 s", None, failed=True, reason="HTTP 500", invalid=True)
    assert found.verdict is Verdict.ERROR


_ALL_OPERATORS = ("<", "<=", ">", ">=", "==")


@pytest.mark.parametrize("operator", _ALL_OPERATORS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_was_not_measured(value: float, operator: str) -> None:
    found = judged(f"response_time max {operator} 2 s", value)
    assert (found.verdict, found.measured) == (Verdict.INCONCLUSIVE, None)
    assert found.reason


@pytest.mark.parametrize("interval", [(math.nan, math.nan), (1.0, math.nan), (-math.inf, 1.0)])
def test_an_interval_that_is_not_finite_is_none(interval: tuple[float, float]) -> None:
    found = judged("response_time max < 2 s", 1.0, interval=interval)
    assert found.interval is None
    assert found.verdict is Verdict.PASS


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.0])
@pytest.mark.parametrize("interval", [None, (math.nan, 1.0), (0.5, 1.5)])
def test_a_run_with_any_measurement_reads_back(
    value: float, interval: tuple[float, float] | None
) -> None:
    result = judged("response_time max < 2 s", value, interval=interval)
    run = run_result(steps=[step_result(criteria=[result])])
    assert decode(encode(run), "run.json").steps[0].criteria() == [result]


@pytest.mark.parametrize(
    ("operator", "wanted"),
    [("<", "FAIL"), ("<=", "FAIL"), ("==", "FAIL"), (">", "PASS"), (">=", "PASS")],
)
def test_beyond_a_value_never_satisfies_an_upper_limit(operator: str, wanted: str) -> None:
    found = judged(f"response_time max {operator} 30 s", 30.0 + (operator == ">"), beyond=True)
    assert found.verdict == wanted
    assert found.beyond
    # Even a limit far above what was seen is no upper limit for what was not seen.
    if wanted == "FAIL":
        assert judged(f"response_time max {operator} 99 s", 30.0, beyond=True).verdict == "FAIL"


@pytest.mark.parametrize(
    ("text", "value", "wanted"),
    [
        ("success_rate == 100 %", 50.0, Verdict.ERROR),
        ("success_rate == 100 %", 100.0, Verdict.PASS),
        ("server_memory growth < 50 MB", 99e6, Verdict.FAIL),
        ("server_memory growth < 50 MB", 1e6, Verdict.PASS),
    ],
)
def test_a_saturated_generator_turns_only_a_fail_of_a_load_criterion_into_an_error(
    text: str, value: float, wanted: Verdict
) -> None:
    found = judged(text, value, invalid=True)
    assert found.verdict is wanted
    assert ("generator" in found.reason) is (wanted is Verdict.ERROR)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("success_rate == 100 %", Verdict.ERROR),
        ("success_rate == 90 %", Verdict.ERROR),
        ("server_processes == 100", Verdict.PASS),
        ("server_processes == 90", Verdict.FAIL),
    ],
)
def test_without_the_intended_load_no_criterion_of_load_is_judged(
    text: str, wanted: Verdict
) -> None:
    found = judged(text, 100.0, invalid=True, undelivered=True)
    assert found.verdict is wanted
    assert found.measured == 100.0
    assert ("did not send what was intended" in found.reason) is (wanted is Verdict.ERROR)
    assert judged(text, None, undelivered=True).verdict is Verdict.INCONCLUSIVE


def test_the_result_names_where_its_evidence_is() -> None:
    found = judge(criterion("requests == 1"), Measurement(value=1), "part-1.1")
    assert found.evidence == "part-1.1"


# ---------------------------------------------------------------- override


def test_another_limit_is_kept_in_the_unit_of_the_text_beside_the_limit_of_the_text() -> None:
    changed = override(criterion("response_time max < 5 s"), "250 ms", METRICS)
    assert (changed.limit, changed.unit, changed.document_limit) == (0.25, "s", 5.0)
    result = judge(changed, Measurement(value=0.3))
    assert (result.verdict, result.document_limit) == (Verdict.FAIL, 5.0)
    bigger = override(criterion("server_memory growth < 50 MB"), "1GB", METRICS)
    assert bigger.limit == 1000.0


@pytest.mark.parametrize(
    ("text", "limit", "said"),
    [
        ("response_time max < 5 s", "10", "needs a unit"),
        ("response_time max < 5 s", "ten s", "not a number"),
        ("response_time max < 5 s", "10 MB", "unit 'MB'"),
        ("success_rate >= 90 %", "", "not a number"),
        ("success_rate >= 90 %", "nan %", "not a number"),
        ("success_rate >= 90 %", "1e999 %", "not a number"),
        ("lock_errors == 0", "1 s", "unit 's'"),
        ("server_memory slope < 5 MB per 100 requests", "5 MB", "per 100 requests"),
    ],
)
def test_a_limit_that_does_not_fit_is_refused_with_the_id(text: str, limit: str, said: str) -> None:
    own = criterion(text)
    with pytest.raises(CriterionError) as caught:
        override(own, limit, METRICS)
    assert own.id in str(caught.value)
    assert said in str(caught.value)


def test_a_count_needs_no_unit() -> None:
    assert override(criterion("lock_errors == 0"), "2", METRICS).limit == 2


@given(st.text(max_size=40))
def test_any_text_is_a_criterion_or_refused_in_one_line(text: str) -> None:
    try:
        said = criterion(text).id
    except CriterionError as error:
        said = str(error)
    assert len(said.splitlines()) == 1
