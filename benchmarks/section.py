"""What is measured: sections of cases, and the columns of their tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from benchmarks.job import Job
from benchmarks.tools.tool import Tool

__all__ = ["SECTIONS", "Case", "Column", "Section", "expected_stall_p99"]

CLOSED_USERS = 50
STALL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Column:
    """One number of a table, by its name among the values of a measurement."""

    value: str
    title: str
    digits: int = 0
    ratio: bool = True
    """Whether qa-runner's share of it is shown beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A job for every tool. ``stall_after_seconds`` is None where the server never stalls."""

    name: str
    title: str
    job: Job
    stall_after_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Cases against one server. ``cases`` takes whether it should be quick.

    ``unfit`` says why a tool can't take part, or nothing. A round has ``turns`` of each case, for
    runs that are short and vary much. ``once`` is for what does not vary.
    """

    name: str
    title: str
    words: str
    server: Literal["nginx", "delay"]
    cases: Callable[[bool], tuple[Case, ...]]
    columns: tuple[Column, ...]
    unfit: Callable[[Tool], str] = lambda _: ""
    turns: int = 1
    once: bool = False


def expected_stall_p99(job: Job, delay_seconds: float) -> float:
    """The p99 that an honest open loop sees, in seconds.

    A share of STALL_SECONDS / seconds of its requests waits, evenly between the whole stall and
    nothing; the slowest hundredth of all is a tenth of those if the load takes 10 s.
    """
    return STALL_SECONDS - 0.01 * job.seconds + delay_seconds


def _throughput(quick: bool) -> tuple[Case, ...]:  # noqa: FBT001 (the one thing that varies)
    job = Job(url="", users=CLOSED_USERS, seconds=3 if quick else 5)
    return (Case(name="keep-alive", title="50 connections, keep-alive", job=job),)


def _new_connections(quick: bool) -> tuple[Case, ...]:  # noqa: FBT001 (as above)
    job = Job(url="", users=CLOSED_USERS, seconds=2 if quick else 3, new_connections=True)
    return (Case(name="new", title="50 users, a connection for each request", job=job),)


def _fidelity(quick: bool) -> tuple[Case, ...]:  # noqa: FBT001 (as above)
    return tuple(
        Case(
            name=f"{users} users",
            title="1 user" if users == 1 else f"{users} users",
            job=Job(url="", users=users, seconds=seconds),
        )
        # Of 500 users in 3 s the first requests, which wait for 500 connections, would be nearly
        # a hundredth of all: p99 would be theirs.
        for users, seconds in (((500, 2),) if quick else ((1, 3), (50, 3), (500, 10)))
    )


def _open_loop(quick: bool) -> tuple[Case, ...]:  # noqa: FBT001 (as above)
    return tuple(
        Case(
            name=f"{rate}/s",
            title=f"{rate:,} requests per second",
            job=Job(url="", users=100, in_flight=500, seconds=2 if quick else 10, rate=rate),
        )
        for rate in ((2000,) if quick else (500, 2000))
    )


def _stall(quick: bool) -> tuple[Case, ...]:  # noqa: FBT001 (as above)
    seconds = 6 if quick else 10
    # Few users: those that a closed tool has waiting must be less than a hundredth of its requests.
    job = Job(url="", users=20, in_flight=1000, seconds=seconds, rate=500)
    return (
        Case(
            name="stall",
            title=f"500 requests per second for {seconds} s",
            job=job,
            stall_after_seconds=seconds / 2,
        ),
    )


def _memory(quick: bool) -> tuple[Case, ...]:  # noqa: FBT001 (as above)
    count = 20_000 if quick else 1_000_000
    job = Job(url="", users=CLOSED_USERS, seconds=600, requests=count, report=True)
    return (Case(name="count", title=f"{count:,} requests, keep-alive", job=job),)


def _paced(tool: Tool) -> str:
    return "" if tool.paced else "sends at no given rate"


_CPU = (
    Column("requests_per_second", "requests/s"),
    Column("cpu_us", "CPU per request, µs", digits=1),
    Column("main_cpu_us", "of it the process that takes in samples", digits=1, ratio=False),
    Column("errors", "errors", ratio=False),
)

SECTIONS: tuple[Section, ...] = (
    Section(
        name="throughput",
        title="Throughput per core and CPU per request, keep-alive",
        words="POST with a JSON body against nginx on a core of its own; status checked. Requests "
        "by nginx's count, CPU by the kernel's, over the steady middle of each run.",
        server="nginx",
        cases=_throughput,
        columns=_CPU,
        turns=3,
    ),
    Section(
        name="new-connections",
        title="A new connection for each request",
        words="As before; every request opens a connection and closes it.",
        server="nginx",
        cases=_new_connections,
        columns=_CPU,
        turns=2,
    ),
    Section(
        name="fidelity",
        title="Fidelity: what a tool reports of a server that answers in 20 ms",
        words="Milliseconds above 20, as each tool reports them; what the server itself added, by "
        "its own log, beside them. Closed model, as fast as the answers come. qa-runner counts "
        "from when a request was due, so its first ones have their connection in them.",
        server="delay",
        cases=_fidelity,
        columns=(
            Column("p50_above_ms", "p50 above 20 ms", digits=2),
            Column("p99_above_ms", "p99 above 20 ms", digits=2),
            Column("server_p99_above_ms", "server's own p99 above 20 ms", digits=2, ratio=False),
            Column("requests", "requests", ratio=False),
            Column("errors", "errors", ratio=False),
        ),
        turns=2,
    ),
    Section(
        name="open-loop",
        title="Open loop: how late a request reaches the wire",
        words="By the server's log of arrivals, against an even grid that begins where the "
        "earliest arrival puts it; milliseconds. Tools without a rate can't take part. Before each "
        "run, a program that only waits for such moments says how late this machine wakes it.",
        server="delay",
        cases=_open_loop,
        columns=(
            Column("arrived", "arrived", ratio=False),
            Column("lateness_p50_ms", "lateness p50", digits=2),
            Column("lateness_p99_ms", "lateness p99", digits=2),
            Column("reported_lateness_p99_ms", "its own word on p99", digits=2, ratio=False),
            Column("bare_timer_p99_ms", "p99 of a bare timer", digits=2, ratio=False),
            Column("errors", "errors", ratio=False),
        ),
        unfit=_paced,
        turns=2,
    ),
    Section(
        name="stall",
        title="A server that stalls for 1 s in the middle",
        words="The p99 that each tool reports, in seconds. In an even load of 10 s a "
        "tenth of the requests falls into the stall and p99 is 0.92 s; a closed tool waits instead "
        "of sending and hides most of them, unless it corrects for that, as wrk and autocannon do. "
        "Closed tools have 20 users; those without a rate send as fast as the answers come.",
        server="delay",
        cases=_stall,
        columns=(
            Column("p99_seconds", "p99 reported, s", digits=3),
            Column("requests", "requests", ratio=False),
            Column("errors", "errors", ratio=False),
        ),
    ),
    Section(
        name="memory",
        title="Peak memory at a million requests",
        words="Highest resident memory of all processes of a tool together, in MB of 10⁶ bytes, "
        "one run. Tools that count no requests run for a time that suffices. `qa-runner load` also "
        "judges, draws and writes its report before it ends.",
        server="nginx",
        cases=_memory,
        columns=(
            Column("peak_mb", "peak memory, MB", digits=1),
            Column("generator_peak_mb", "of it the generator process", digits=1, ratio=False),
            Column("after_seconds", "s from the last answer to its end", digits=1, ratio=False),
            Column("requests", "requests", ratio=False),
            Column("errors", "errors", ratio=False),
        ),
        once=True,
    ),
)
