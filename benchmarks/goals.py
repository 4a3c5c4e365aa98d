"""The goals of the load engine, each judged by the numbers of a comparison."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.delay_server import DELAY_SECONDS
from benchmarks.results import Results
from benchmarks.section import SECTIONS as ALL_SECTIONS
from benchmarks.section import Case, expected_stall_p99
from benchmarks.tools.qa_runner import COMMAND, ENGINE

__all__ = ["Goal", "judge"]

_NOT_MEASURED = "not measured"
_TIMES = "×"  # noqa: RUF001 (the sign that is meant)
_STALL_SHARE = 0.9
_MOST_MB = 250
_MOST_ANALYSIS_SECONDS = 5
_MOST_LATENESS_MS = 2


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted, what was found, and "met", "not met" or "not measured"."""

    wanted: str
    found: str
    verdict: str


def judge(results: Results) -> list[Goal]:
    """All goals, in the order of the sections."""
    return [
        *_ratios(results),
        *_fidelity(results),
        *_open_loop(results),
        _stall(results),
        _memory(results),
        _analysis(results),
    ]


def _ratios(results: Results) -> Iterator[Goal]:
    for least, tool, words in (
        (0.6, "wrk", "wrk with a unique body"),
        (1.5, "hey", "hey"),
        (1.5, "vegeta", "vegeta"),
        (7.0, "k6", "k6"),
        (10.0, "Locust", "Locust FastHttpUser"),
        (0.9, "wrk", "wrk with a unique body (beyond the goal)"),
    ):
        wanted = f"throughput at least {least:g} {_TIMES} {words}"
        yield _ratio(results, wanted, least, ("throughput", "keep-alive", tool))
    wanted = f"new connections: at least 0.5 {_TIMES} ab without keep-alive"
    yield _ratio(results, wanted, 0.5, ("new-connections", "new", "ab"))


def _ratio(results: Results, wanted: str, least: float, of: tuple[str, str, str]) -> Goal:
    section, case, tool = of
    ratio = results.ratio(section, case, (ENGINE, tool), "requests_per_second")
    if ratio is None:
        return _missing(results, wanted, tool)
    return _judged(wanted, f"{ratio:.2f} {_TIMES}", met=ratio >= least)


def _fidelity(results: Results) -> Iterator[Goal]:
    for users, most in ((50, 2.0), (500, 5.0)):
        wanted = f"p99 at 20 ms and {users} users: at most {most:g} ms above wrk's"
        case = f"{users} users"
        above = results.difference("fidelity", case, (ENGINE, "wrk"), "p99_above_ms")
        if above is None:
            yield _missing(results, wanted, "wrk")
        else:
            yield _judged(wanted, f"{above:+.2f} ms", met=above <= most)


def _open_loop(results: Results) -> Iterator[Goal]:
    wanted = "open loop, 2,000/s: every request is sent"
    job = _case("open-loop", "2000/s", quick=results.quick).job
    due = (job.rate or 0) * job.seconds
    arrived = results.spread("open-loop", "2000/s", ENGINE, "arrived")
    if arrived is None:
        yield _missing(results, wanted, ENGINE)
    else:
        found = f"{arrived.lowest:,.0f} of {due:,} in the worst round"
        yield _judged(wanted, found, met=arrived.lowest == arrived.highest == due)
    wanted = f"open loop, 2,000/s: lateness p99 under {_MOST_LATENESS_MS} ms"
    late = results.spread("open-loop", "2000/s", ENGINE, "lateness_p99_ms")
    if late is None:
        yield _missing(results, wanted, ENGINE)
    else:
        bare = results.spread("open-loop", "2000/s", ENGINE, "bare_timer_p99_ms")
        beside = f", a bare timer {bare.median:.2f} ms" if bare else ""
        found = f"{late.median:.2f} ms{beside}"
        yield _judged(wanted, found, met=late.median < _MOST_LATENESS_MS)


def _stall(results: Results) -> Goal:
    wanted = "the stall of 1 s shows in p99 as in an even load, not as in closed tools"
    p99 = results.spread("stall", "stall", ENGINE, "p99_seconds")
    if p99 is None:
        return _missing(results, wanted, ENGINE)
    expected = expected_stall_p99(_case("stall", "stall", quick=results.quick).job, DELAY_SECONDS)
    found = f"{p99.median:.3f} s, where the schedule makes it {expected:.2f} s"
    return _judged(wanted, found, met=p99.median >= _STALL_SHARE * expected)


def _memory(results: Results) -> Goal:
    wanted = f"a million samples under {_MOST_MB} MB, both processes together"
    peak = results.spread("memory", "count", ENGINE, "peak_mb")
    if peak is None or results.quick:
        return _missing(results, wanted, ENGINE)
    return _judged(wanted, f"{peak.median:.0f} MB", met=peak.highest < _MOST_MB)


def _analysis(results: Results) -> Goal:
    wanted = f"percentiles and figures of a million samples in under {_MOST_ANALYSIS_SECONDS} s"
    seconds = results.spread("memory", "count", COMMAND, "after_seconds")
    if seconds is None or results.quick:
        return _missing(results, wanted, COMMAND)
    found = f"{seconds.median:.1f} s"
    return _judged(wanted, found, met=seconds.median < _MOST_ANALYSIS_SECONDS)


def _case(section: str, name: str, *, quick: bool) -> Case:
    return next(
        case
        for known in ALL_SECTIONS
        if known.name == section
        for case in known.cases(quick)
        if case.name == name
    )


def _judged(wanted: str, found: str, *, met: bool) -> Goal:
    return Goal(wanted, found, "met" if met else "not met")


def _missing(results: Results, wanted: str, tool: str) -> Goal:
    absent = [known for known in results.tools if known.name == tool and known.absent]
    return Goal(wanted, f"{tool} not installed" if absent else "—", _NOT_MEASURED)
