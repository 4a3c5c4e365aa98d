from __future__ import annotations

import json
import math

import pytest
from core_samples import judged, run_result, step_result
from hypothesis import given
from hypothesis import strategies as st

from qa_runner.errors import RunFolderError
from qa_runner.result import (
    SCHEMA_VERSION,
    Fact,
    PartResult,
    RecordedMetric,
    RunResult,
    Window,
    decode,
    encode,
)
from qa_runner.verdict import Verdict


def full_run() -> RunResult:
    return run_result(
        steps=[
            step_result(1, attempts=2),
            step_result(
                2,
                [
                    judged("response_time p(95) < 5 s", 0.25, interval=(0.2, 0.3), sample_size=9),
                    judged("duration < 3 s", None),
                ],
                verdict=Verdict.INCONCLUSIVE,
            ),
        ],
        database_mark={"transactions": 5, "before": {"orphans": 1}},
        cleaned_rows={"users": 3},
        excluded=["5.1-x: none"],
        notes=["note"],
    )


def test_a_full_run_reads_back_equal_and_writes_the_same_bytes_again() -> None:
    run = full_run()
    data = encode(run)
    again = decode(data, "run.json")
    assert again == run
    assert encode(again) == data


def test_run_json_is_indented_json_with_verdicts_in_upper_case() -> None:
    data = encode(full_run())
    assert data.endswith(b"}\n")
    assert b'\n  "run_id": "run-20260102-030405"' in data
    run = json.loads(data)
    assert run["schema_version"] == SCHEMA_VERSION
    assert run["steps"][1]["verdict"] == "INCONCLUSIVE"
    first = run["steps"][1]["attempts"][0]["parts"][0]["criteria"][0]
    wanted = {"id", "metric", "measured", "unit", "limit", "verdict", "source"}
    assert wanted <= first.keys()
    assert (first["measured"], first["limit"], first["unit"]) == (0.25, 5.0, "s")


def test_a_newer_schema_is_refused_with_both_versions() -> None:
    newer = encode(run_result(schema_version=SCHEMA_VERSION + 41))
    with pytest.raises(RunFolderError) as caught:
        decode(newer, "there/run.json")
    said = str(caught.value)
    assert f"schema version {SCHEMA_VERSION + 41}" in said
    assert f"up to {SCHEMA_VERSION}" in said
    assert "there/run.json" in said


def test_an_older_schema_is_read_and_goes_on_as_todays() -> None:
    # Its samples are CSV; what a rerun adds is not, and the older version must know.
    run = decode(encode(run_result(schema_version=1)), "run.json")
    assert run == run_result()
    assert json.loads(encode(run))["schema_version"] == SCHEMA_VERSION == 2


def test_a_newer_schema_is_told_whatever_else_it_holds() -> None:
    with pytest.raises(RunFolderError, match="schema version 7"):
        decode(b'{"schema_version": 7, "run_id": {"moved": true}}', "run.json")


_GOOD = encode(run_result())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" \n",
        b"null",
        b"[]",
        b"{}",
        b"not json",
        b"\x00\x01\x02\xff\xfe",
        b"\x89PNG\r\n\x1a\n" * 50,
        _GOOD[: len(_GOOD) // 2],
        _GOOD[:-3],
        _GOOD + b"more",
        _GOOD.replace(b'"PASS"', b'"GREEN"'),
        _GOOD.replace(b'"run-20260102-030405"', b"17"),
        _GOOD.replace(b'"run-20260102-030405"', b'"\xff\xfe"'),
        _GOOD.replace(b'"schema_version": 2', b'"schema_version": "two"'),
        _GOOD.replace(b'"schema_version": 2', b'"schema_version": null'),
        _GOOD.replace(b'"test_id"', b'"case_id"'),
        _GOOD.replace(b'"steps": [', b'"steps": [3, '),
        b"[" * 200_000,
        b'{"schema_version": 1, "settings": ' + b'{"a":' * 100_000,
    ],
    ids=range(20),
)
def test_what_is_no_run_is_refused_in_one_line_that_names_the_file(data: bytes) -> None:
    with pytest.raises(RunFolderError) as caught:
        decode(data, "there/run.json")
    assert str(caught.value).startswith("there/run.json is damaged: ")
    assert len(str(caught.value).splitlines()) == 1


@given(st.integers(0, len(_GOOD)), st.binary(max_size=8))
def test_a_run_with_bytes_overwritten_anywhere_reads_or_is_refused(at: int, junk: bytes) -> None:
    try:
        decode(_GOOD[:at] + junk + _GOOD[at + len(junk) :], "run.json")
    except RunFolderError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 (both ends are fine)


def test_numbers_that_json_does_not_know_never_make_a_run_unreadable() -> None:
    step = step_result()
    metrics = [RecordedMetric(name="m", value=value, unit="s") for value in (math.nan, math.inf)]
    assert step.latest
    part = step.latest.parts[0]
    part.metrics = metrics
    part.tables[0].rows.append(["x", math.nan])
    again = decode(encode(run_result(steps=[step])), "run.json")
    assert again.steps[0].latest
    assert [m.value for m in again.steps[0].latest.parts[0].metrics] == [None, None]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_fact_or_window_that_could_not_be_read_back_is_refused_when_made(value: float) -> None:
    with pytest.raises(ValueError, match=r"baseline.*median_seconds"):
        Fact(name="baseline", step=2, attempt=1, values={"median_seconds": value})
    with pytest.raises(ValueError, match="load"):
        Window(name="load", start=0.0, end=value)


def test_half_characters_never_make_a_run_unwritable() -> None:
    run = run_result(notes=["command /tmp/caf\udce9"])
    assert decode(encode(run), "run.json").notes == ["command /tmp/caf\\udce9"]


def test_the_latest_attempt_counts_and_its_criteria_come_in_order() -> None:
    step = step_result(attempts=2)
    assert step.latest is step.attempts[1]
    own = judged("success_rate >= 90 %", 95.0)
    step.attempts[1].criteria = [own]
    found = step.criteria()
    assert found[-1] == own
    assert len(found) == 2
    assert run_result(steps=[step, step]).criteria() == found * 2


def test_a_step_that_never_ran_has_no_criteria() -> None:
    step = step_result(attempts=0)
    assert step.latest is None
    assert step.criteria() == []


def test_what_was_not_reached_stands_before_what_the_step_has_as_a_whole() -> None:
    missing, own = judged("duration < 3 s", None), judged("success_rate >= 90 %", 95.0)
    step = step_result(attempts=0)
    step.unreached = [missing]
    assert step.criteria() == [missing]
    step = step_result()
    step.unreached = [missing]
    step.attempts[0].criteria = [own]
    assert step.criteria()[1:] == [missing, own]


def test_a_run_of_before_has_nothing_that_was_not_reached() -> None:
    data = encode(run_result())
    before = data.replace(b',\n      "unreached": []', b"")
    assert before != data
    assert decode(before, "run.json") == run_result()


def test_the_session_that_took_the_mark_is_kept_and_none_in_a_run_of_before() -> None:
    run = run_result(database_mark={"transactions": 5}, mark_session=2)
    data = encode(run)
    assert json.loads(data)["mark_session"] == 2
    assert decode(data, "run.json").mark_session == 2
    before = data.replace(b'  "mark_session": 2,\n', b"")
    assert before != data
    assert decode(before, "run.json").mark_session == 0


def test_a_part_of_the_first_schema_reads_without_what_was_added_later() -> None:
    part = PartResult(id="1.1", title="", verdict=Verdict.PASS, start=0, end=0)
    assert part.criteria == []
    assert part.error == ""
