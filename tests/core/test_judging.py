from __future__ import annotations

from core_samples import criterion, judged, observe, sample, samples

from qa_runner.judging import applicable, judge_all, skipped, spoil, verdict_of
from qa_runner.load.plan import Outcome
from qa_runner.metric import Kind, Metric, Unit, registry
from qa_runner.verdict import Verdict

PASSED = judged("success_rate == 100 %", 100.0)
FAILED = judged("duration < 5 s", 9.0)
MISSING = judged("response_time max < 5 s", None)


def test_criteria_without_their_data_source_are_no_part_of_the_run_and_listed() -> None:
    own = registry([Metric("x", Unit.COUNT, Kind.VALUE, "", requires="tea_leaves")])
    always = criterion("success_rate == 100 %")
    timing = criterion("database_time p(95) < 100 ms")
    logged = criterion("unlogged_server_errors == 0")
    leaves = criterion("x == 0", own)
    kept, excluded = applicable([always, timing, logged, leaves], frozenset())
    assert kept == [always]
    assert excluded == [
        "1.1-database-time-p95: the target sends no database time in a Server-Timing header",
        "1.1-unlogged-server-errors: the server's log is not known",
        "1.1-x: the target has no tea_leaves",
    ]
    kept, excluded = applicable([always, timing, logged], frozenset({"database_time"}))
    assert kept == [always, timing]
    assert len(excluded) == 1


def test_each_criterion_is_measured_and_judged_with_its_evidence() -> None:
    observation = observe(samples(sample(), sample(Outcome.SERVER_ERROR)))
    listed = [criterion("success_rate == 100 %"), criterion("query_time median < 1 s")]
    first, second = judge_all(listed, observation, "part-1.1")
    assert (first.verdict, first.measured, first.evidence) == (Verdict.FAIL, 50.0, "part-1.1")
    assert (second.verdict, second.measured) == (Verdict.INCONCLUSIVE, None)


def test_a_part_that_did_not_end_spoils_everything_but_failures() -> None:
    found = spoil([PASSED, FAILED, MISSING], Verdict.ERROR, "the part ended with an error")
    assert [result.verdict for result in found] == [Verdict.ERROR, Verdict.FAIL, Verdict.ERROR]
    assert found[0].reason == "the part ended with an error"
    assert found[0].measured == 100.0  # what was seen stays visible
    assert found[1] == FAILED


def test_skipped_criteria_are_listed_with_the_reason_and_without_a_value() -> None:
    (found,) = skipped([criterion("success_rate == 100 %  # all")], "step-1", "not asked for")
    assert (found.verdict, found.measured) == (Verdict.SKIPPED, None)
    assert (found.reason, found.evidence, found.wish) == ("not asked for", "step-1", "all")


def test_an_error_counts_as_one_more_verdict() -> None:
    assert verdict_of([PASSED], "") is Verdict.PASS
    assert verdict_of([PASSED], "boom") is Verdict.ERROR
    assert verdict_of([PASSED, FAILED], "boom") is Verdict.FAIL
    assert verdict_of([], "boom") is Verdict.ERROR
    assert verdict_of([], "") is Verdict.INCONCLUSIVE
