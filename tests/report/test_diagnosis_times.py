"""Causes of slowness and of growth: each rule fires on its fault and is silent on a look-alike."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from diagnosed import Part, series, server, store, told

from qa_runner.result import DataTable, Window

SLOW = ("response_time max < 1 s", 2.5)


def timed(application: float, database: float, queries: float = 3.0, **columns: object) -> Part:
    given = {
        "application_seconds": application,
        "database_seconds": database,
        "queries": queries,
        **columns,
    }
    return Part("2.1", 20, [SLOW], given, shape="20 requests one at a time", service=2.5)


# ---------------------------------------------------------------- where the time went


def test_time_in_the_application_on_an_idle_cpu_is_a_slow_provider(tmp_path: Path) -> None:
    folder = store(tmp_path / "run", timed(2.49, 0.004), tables={"server": server(cpu_percent=3.0)})
    rows = told(folder)
    assert list(rows) == ["slow-provider"]
    assert rows["slow-provider"]["sentence"] == (
        "2.1-response-time-max: 2.50 s instead of less than 1 s: 20 of 20 requests in 2.1 took "
        "2.50 s in the median, of which the application had 2.49 s and the database only 4 ms "
        "and the server's CPU was at 3 %: it waits for something outside, most likely the payment "
        "provider."
    )
    assert "timeout for connect and total" in rows["slow-provider"]["remedy"]


def test_on_a_crowded_machine_it_may_have_waited_for_a_core(tmp_path: Path) -> None:
    time = np.arange(9.0, 22.0)
    crowd = series("system", time=time, cpu_percent=np.full(time.size, 98.0))
    tables = {"server": server(cpu_percent=3.0), "system": crowd}
    said = told(store(tmp_path / "run", timed(2.49, 0.004), tables=tables))["slow-provider"]
    assert "unless for a core: the whole machine was busy at 98 %." in said["sentence"]


def test_the_same_time_with_a_busy_cpu_is_computed(tmp_path: Path) -> None:
    tables = {"server": server(cpu_percent=97.0)}
    rows = told(store(tmp_path / "run", timed(2.49, 0.004), tables=tables))
    assert list(rows) == ["busy-server"]
    assert "97 % of a core each in the median" in rows["busy-server"]["sentence"]


def test_the_same_time_in_the_database_is_the_databases(tmp_path: Path) -> None:
    one = timed(2.49, 2.2, 31.0)
    one.criteria = [SLOW, ("database_time p(95) < 100 ms", 2.2)]
    rows = told(store(tmp_path / "run", one, tables={"server": server(cpu_percent=3.0)}))
    assert list(rows) == ["slow-database"]
    assert (
        "the database took 2.20 s of 2.50 s in the median of 20 requests with 31"
        in (rows["slow-database"]["sentence"])
    )


def test_without_server_timing_it_is_only_known_that_it_waits(tmp_path: Path) -> None:
    one = Part("2.1", 20, [SLOW], service=2.5)
    rows = told(store(tmp_path / "run", one, tables={"server": server(cpu_percent=3.0)}))
    assert list(rows) == ["waiting"]
    assert (
        "while the server used 3 % CPU: they waited rather than computed"
        in (rows["waiting"]["sentence"])
    )
    # Nothing at all is known without the server's process.
    assert list(told(store(tmp_path / "blind", one))) == ["unexplained"]


def some_given_up(part: str, start: float, criteria: list[tuple[str, float]]) -> Part:
    """Five requests, of which two got no answer and the others a late one."""
    columns = {
        "outcome": ["success"] * 3 + ["timeout"] * 2,
        "status": [201.0] * 3 + [0.0] * 2,
        "service": [0.469] * 3 + [10.0] * 2,
    }
    return Part(part, 5, criteria, columns, start=start)


def test_what_got_no_answer_is_told_apart_from_what_was_answered_late(tmp_path: Path) -> None:
    one = some_given_up("3.1", 10.0, [("success_rate == 100 %", 60.0)])
    one.criteria = [*one.criteria, ("time_to_first_byte median < 0.1 s", 0.469)]
    two = some_given_up("3.2", 30.0, [("success_rate >= 90 %", 60.0)])
    # An answer that comes at last ends the hang.
    last = Part("3.3", 1, [], start=50.0)
    tables = {"server": server(cpu_percent=0.0)}
    rows = told(store(tmp_path / "run", one, two, last, tables=tables))
    assert list(rows) == ["unanswered", "waiting"]
    assert rows["unanswered"]["sentence"] == (
        "3.1-success-rate: 60 % instead of 100 %: 2 of 5 requests in 3.1 (4 of 10 in 2 parts) got "
        "no response within 10 s, while the server used 0 % CPU: they waited rather than "
        "computed. Also affected: 3.2-success-rate."
    )
    assert rows["waiting"]["criteria"] == ["3.1-time-to-first-byte-median"]
    assert "3 of 5 requests in 3.1 took 469 ms in the median" in rows["waiting"]["sentence"]


def test_late_answers_explain_times_alone(tmp_path: Path) -> None:
    one = some_given_up("3.1", 10.0, [("success_rate == 100 %", 60.0), SLOW])
    one.columns = {**one.columns, "outcome": ["success"] * 3 + ["server error"] * 2}
    one.columns |= {"status": [201.0] * 3 + [500.0] * 2, "service": [2.5] * 3 + [0.02] * 2}
    rows = told(store(tmp_path / "run", one, tables={"server": server(cpu_percent=0.0)}))
    assert rows["waiting"]["criteria"] == ["3.1-response-time-max"]
    assert "3 of 5 requests in 3.1 took 2.50 s in the median" in rows["waiting"]["sentence"]
    assert rows["failed-requests"]["criteria"] == ["3.1-success-rate"]


def test_the_probes_own_query_being_slow_is_the_databases_doing(tmp_path: Path) -> None:
    time = np.arange(10.0, 20.0)
    readings = series("database", time=time, query_seconds=np.full(10, 0.25))
    one = Part("5.1", 20, [("query_time median < 100 ms", 0.25)])
    rows = told(store(tmp_path / "run", one, tables={"database": readings}))
    assert list(rows) == ["slow-query"]
    assert "250 ms in the median" in rows["slow-query"]["sentence"]


# ---------------------------------------------------------------- queries


def test_queries_that_grow_with_the_rows_are_an_n_plus_one(tmp_path: Path) -> None:
    growing = list(np.arange(7.0, 27.0))
    one = Part("5.1", 20, [("query_count drift <= 0", 19.0)], {"queries": growing})
    rows = told(store(tmp_path / "run", one))
    assert list(rows) == ["growing-queries"]
    assert (
        "a request made 7 database queries at the beginning of 5.1 and 26 at its end"
        in (rows["growing-queries"]["sentence"])
    )
    assert "select_related" in rows["growing-queries"]["remedy"]


@pytest.mark.parametrize(
    "queries",
    [
        [40.0] * 20,
        [7.0, 9.0] * 10,
        [7.0] * 19 + [30.0],
        [float("nan")] * 20,
    ],
    ids=["many", "two kinds of users", "one outlier", "not known"],
)
def test_queries_that_do_not_grow_are_none(tmp_path: Path, queries: list[float]) -> None:
    one = Part("5.1", 20, [("query_count drift <= 0", 3.0)], {"queries": queries})
    assert list(told(store(tmp_path / "run", one))) == ["unexplained"]


# ---------------------------------------------------------------- slower and slower


def test_requests_that_become_slower_with_each_one_degrade(tmp_path: Path) -> None:
    service = list(np.linspace(0.02, 0.6, 20))
    one = Part("2.2", 20, [("response_time drift < 0.5 s", 0.58)], {"service": service})
    one.shape = "20 requests one at a time, back to back"
    rows = told(store(tmp_path / "run", one))
    assert list(rows) == ["degradation"]
    assert "20 ms at the beginning of 2.2, 600 ms at its end" in rows["degradation"]["sentence"]


def test_one_slow_request_or_a_queue_is_no_degradation(tmp_path: Path) -> None:
    criteria = [("response_time stddev < 0.1 s", 0.2)]
    one = Part("2.2", 20, criteria, {"service": [0.02] * 19 + [1.5]})
    one.shape = "20 requests one at a time, back to back"
    assert "degradation" not in told(store(tmp_path / "outlier", one))
    queue = Part("3.3", 20, criteria, {"service": list(np.linspace(0.02, 0.6, 20))})
    assert "degradation" not in told(store(tmp_path / "queue", queue))


def recovery(after: float, outcome: str = "success") -> Part:
    roles = ["heavy"] * 40 + ["probe"] * 10 + ["main"] * 5
    service = [2.0] * 40 + [after] * 15
    criteria = [("recovery_time < 30 s", 30.0), ("response_time_over_band <= 0 s", after - 0.1)]
    one = Part("8.1", 55, criteria, {"role": roles, "service": service}, shape="100 virtual users")
    one.columns = {**one.columns, "outcome": ["success"] * 40 + [outcome] * 15}
    one.tables = [DataTable(name="band", title="", columns=["band s"], rows=[[0.12]])]
    return one


def test_single_requests_that_stay_slow_after_the_load(tmp_path: Path) -> None:
    tables = {"server": server(cpu_percent=40.0)}
    rows = told(store(tmp_path / "run", recovery(1.2), tables=tables))
    assert list(rows) == ["slow-recovery"]
    assert "took 1.20 s in the median" in rows["slow-recovery"]["sentence"]
    assert (
        "with up to 120 ms being normal; its CPU was at 40 %" in (rows["slow-recovery"]["sentence"])
    )


def test_errors_after_the_load_are_no_slow_recovery(tmp_path: Path) -> None:
    assert "slow-recovery" not in told(store(tmp_path / "run", recovery(1.2, "server error")))
    # Nor are some that are slow among more that fail.
    some = recovery(1.2)
    some.columns = {
        **some.columns,
        "outcome": ["success"] * 49 + ["server error"] * 6,
        "service": [2.0] * 40 + [1.2] * 5 + [0.05] * 10,
    }
    assert "slow-recovery" not in told(store(tmp_path / "some", some))


def test_cpu_that_stays_up_after_the_load(tmp_path: Path) -> None:
    one = Part("6.2", 20, [("server_cpu_from_idle <= 10 %", 80.0)], seconds=20.0)
    one.columns = {"due": list(np.linspace(10, 12, 20)), "started": list(np.linspace(10, 12, 20))}
    rows = told(store(tmp_path / "run", one, tables={"server": server(cpu_percent=85.0)}))
    assert list(rows) == ["busy-after-load"]
    assert "still used 85 % CPU in the median" in rows["busy-after-load"]["sentence"]
    # While requests are still answered, that is no matter of afterwards.
    one = Part("6.2", 20, [("server_cpu p(95) < 80 %", 95.0)])
    rows = told(store(tmp_path / "load", one, tables={"server": server(cpu_percent=95.0)}))
    assert list(rows) == ["busy-server"]


# ---------------------------------------------------------------- memory


def memory(shape: str) -> dict[str, object]:
    def rss(time: np.ndarray) -> np.ndarray:
        done = np.clip((time - 10) / 8, 0, 1)
        grown = {
            "even": done,
            "plateau": np.minimum(done * 5, 1.0),
            "rest": np.where(done < 1, 0.0, 1.0),
        }[shape]
        return 90e6 + 60e6 * grown

    return {"server": server(rss_bytes=rss)}


def growing() -> Part:
    criteria = [
        ("server_memory growth < 50 MB", 60e6),
        ("server_memory slope < 5 MB per 100 requests", 9e6),
    ]
    return Part("6.1", 200, criteria)


def test_memory_that_still_rises_with_the_last_requests_is_a_leak(tmp_path: Path) -> None:
    rows = told(store(tmp_path / "run", growing(), tables=memory("even")))
    assert list(rows) == ["memory-leak"]
    said = rows["memory-leak"]["sentence"]
    assert "rose by 60 MB over 200 requests of 6.1" in said
    assert re.search(r"with the last ones, by 3\d\d kB each: a leak", said)
    assert said.endswith("Also affected: 6.1-server-memory-slope.")


def test_memory_that_levels_off_is_a_plateau_even_above_the_limit(tmp_path: Path) -> None:
    rows = told(store(tmp_path / "run", growing(), tables=memory("plateau")))
    assert list(rows) == ["memory-plateau"]
    said = rows["memory-plateau"]["sentence"]
    assert "a plateau, which Python keeps for itself, and no leak" in said
    assert "--set 6.1.limit.server-memory-growth=" in rows["memory-plateau"]["remedy"]


def test_memory_across_a_restart_is_neither(tmp_path: Path) -> None:
    tables = memory("even")
    rows = tables["server"]
    restarted = server(
        rss_bytes=lambda _: rows.number("rss_bytes"),
        restarts=lambda time: (time > 15).astype(float),
    )
    assert list(told(store(tmp_path / "run", growing(), tables={"server": restarted}))) == [
        "unexplained"
    ]


def test_memory_that_goes_up_and_down_at_rest_is_no_plateau(tmp_path: Path) -> None:
    one = Part("6.1", 200, [("server_memory{settled} range < 5 MB", 10e6)])
    one.windows = [Window(name="settled", start=18.5, end=20.0)]
    swings = {"server": server(rss_bytes=lambda time: 90e6 + 10e6 * (np.round(time * 4) % 2))}
    rows = told(store(tmp_path / "run", one, tables=swings))
    assert list(rows) == ["memory-swings"]
    assert "went up and down between 90 MB and 100 MB" in rows["memory-swings"]["sentence"]
    rising = {"server": server(rss_bytes=lambda time: 90e6 + 7e6 * np.clip(time - 18, 0, 9))}
    assert list(told(store(tmp_path / "rising", one, tables=rising))) == ["unexplained"]


# ---------------------------------------------------------------- connections


def connections(part_seconds: float = 10.0) -> Part:
    return Part("5.2", 50, [("database_connections growth < 5", 45.0)], seconds=part_seconds)


def handles(values: dict[str, object]) -> dict[str, object]:
    return {"server": server(database_handles=values["at"])}


def test_connections_that_grow_with_each_request_leak(tmp_path: Path) -> None:
    leak = handles({"at": lambda time: 1 + np.floor(50 * np.clip((time - 10) / 8, 0, 1))})
    rows = told(store(tmp_path / "run", connections(), tables=leak))
    assert list(rows) == ["connection-leak"]
    said = rows["connection-leak"]["sentence"]
    assert "grew from 1 to 51 over 50 requests of 5.2, of which 1 at most were under way" in said
    assert "and did not come back" in said


def test_connections_left_open_beside_those_in_use_leak(tmp_path: Path) -> None:
    # Eleven requests at once hold one each; every fifth leaves one behind.
    def at(time: np.ndarray) -> np.ndarray:
        in_use = np.where((time > 10.5) & (time < 19.5), 11, 0)
        return in_use + np.floor(10 * np.clip((time - 10) / 8, 0, 1))

    one = connections()
    one.service = 1.7
    rows = told(store(tmp_path / "run", one, tables=handles({"at": at})))
    assert list(rows) == ["connection-leak"]
    assert "grew from 0 to 10" in rows["connection-leak"]["sentence"]


def test_connections_that_are_kept_or_come_back_do_not_leak(tmp_path: Path) -> None:
    one = connections()
    one.service = 1.7
    pool = handles({"at": lambda time: np.minimum(np.floor(np.clip(time - 10, 0, 10) * 6), 11)})
    rows = told(store(tmp_path / "pool", one, tables=pool))
    assert list(rows) == ["connection-plateau"]
    assert (
        "no more than the 11 requests that were under way at once"
        in (rows["connection-plateau"]["sentence"])
    )
    back = handles(
        {"at": lambda t: np.where(t > 25, 1, 1 + np.floor(50 * np.clip((t - 10) / 8, 0, 1)))}
    )
    rows = told(store(tmp_path / "back", connections(), tables=back))
    assert list(rows) == ["connection-plateau"]
    assert "they came back later" in rows["connection-plateau"]["sentence"]


def test_connections_that_stayed_after_an_earlier_load_too_leak(tmp_path: Path) -> None:
    earlier = Part("5.1", 50, [], start=2.0, seconds=5.0, service=1.0)
    one = connections()
    one.service = 1.7

    def at(time: np.ndarray) -> np.ndarray:
        return np.where(time < 3, 0, np.where(time < 12, 10, 20))

    rows = told(store(tmp_path / "run", earlier, one, tables=handles({"at": at})))
    assert list(rows) == ["connection-leak"]


def test_requests_that_were_given_up_wait_for_the_provider_if_the_others_did_so(
    tmp_path: Path,
) -> None:
    def told_with(name: str, answered: float) -> dict[str, dict[str, object]]:
        one = timed(answered - 0.01, 0.004)
        one.columns = {
            **one.columns,
            "service": [5.0] * 14 + [answered] * 6,
            "application_seconds": [float("nan")] * 14 + [answered - 0.01] * 6,
            "outcome": ["timeout"] * 14 + ["success"] * 6,
            "status": [0.0] * 14 + [201.0] * 6,
        }
        one.criteria = [("success_rate >= 90 %", 30.0)]
        return told(store(tmp_path / name, one, tables={"server": server(cpu_percent=3.0)}))

    rows = told_with("alike", 4.0)
    assert list(rows) == ["slow-provider"]
    assert (
        "20 of 20 requests in 2.1 were late or given up; those answered in 2.1 took 4 s in the "
        "median, of which the application had 3.99 s" in str(rows["slow-provider"]["sentence"])
    )
    assert list(told_with("other", 0.3)) == ["unanswered"]


def given_up(**columns: object) -> Part:
    one = Part("3.1", 20, [("success_rate >= 90 %", 0.0)], columns, start=30.0, service=5.0)
    one.columns = {**one.columns, "outcome": "timeout", "status": 0.0}
    return one


def test_where_nothing_is_answered_the_parts_before_show_that_it_is_the_provider(
    tmp_path: Path,
) -> None:
    tables = {"server": server(cpu_percent=3.0)}
    slow = timed(4.0, 0.004, service=4.01)
    rows = told(store(tmp_path / "slow", slow, given_up(), tables=tables))
    assert list(rows) == ["slow-provider"]
    assert "3.1-success-rate" in rows["slow-provider"]["sentence"]
    # Also where it was quick enough for the criteria there.
    slow.criteria = []
    rows = told(store(tmp_path / "passed", slow, given_up(), tables=tables))
    assert list(rows) == ["slow-provider"]
    assert "those answered in 2.1 took 4.01 s" in rows["slow-provider"]["sentence"]
    # What was quick until then hangs.
    quick = timed(0.03, 0.004, service=0.04)
    quick.criteria = []
    assert list(told(store(tmp_path / "quick", quick, given_up(), tables=tables))) == ["hung"]
