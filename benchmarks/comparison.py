"""All tools on all cases, round by round, so that a slow moment of the machine meets them all."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from benchmarks.delay_server import delaying
from benchmarks.job import BenchmarkError, Job
from benchmarks.machine import cores, describe
from benchmarks.measure import Bench, Values
from benchmarks.nginx import serving
from benchmarks.results import Measurement, Results, ToolFacts
from benchmarks.section import Case, Section
from benchmarks.tools.tool import Absent, Tool

__all__ = ["compare"]

_PAUSE_SECONDS = 0.3
Run = Callable[[Tool, Case, int], Values]


def compare(
    sections: Sequence[Section], tools: Sequence[Tool], cache: Path, rounds: int, *, quick: bool
) -> Results:
    """Run everything; raises BenchmarkError if this machine can't."""
    machine = describe()
    begin = time.monotonic()
    both = cores()
    facts = [_facts(tool, cache) for tool in tools]
    present = [tool for tool, known in zip(tools, facts, strict=True) if not known.absent]
    measurements: list[Measurement] = []
    with tempfile.TemporaryDirectory(prefix="qa-benchmarks-") as name:
        folder = Path(name)
        for section in sections:
            with _server(section, Bench(cache, folder, both), folder, both[0]) as run:
                measurements += _rounds(section, present, run, rounds, quick=quick)
    return Results(
        machine=machine,
        quick=quick,
        sections=[section.name for section in sections],
        tools=facts,
        measurements=measurements,
        seconds=time.monotonic() - begin,
    )


def _rounds(
    section: Section, tools: Sequence[Tool], run: Run, rounds: int, *, quick: bool
) -> Iterator[Measurement]:
    number = 0
    turns = 1 if quick else section.turns
    for turn in range(1 if section.once else rounds * turns):
        for case in section.cases(quick):
            for tool in tools:
                if section.unfit(tool):
                    continue
                number += 1
                values: Values = {}
                error = ""
                try:
                    values = run(tool, case, number)
                except BenchmarkError as failure:
                    error = str(failure)
                _say(f"{section.name} · {case.name} · round {turn + 1} · {tool.name}", error)
                yield Measurement(
                    section=section.name,
                    case=case.name,
                    tool=tool.name,
                    round=turn + 1,
                    values=values,
                    error=error,
                )
                time.sleep(_PAUSE_SECONDS)


@contextlib.contextmanager
def _server(section: Section, bench: Bench, folder: Path, core: int) -> Iterator[Run]:
    if section.server == "nginx":
        with serving(folder, core) as nginx:
            yield lambda tool, case, number: bench.on_nginx(
                tool, replace(case.job, url=nginx.url(number)), nginx
            )
    else:
        with delaying(folder, core) as server:
            yield lambda tool, case, _: bench.on_delay(
                tool, case, _job(tool, case, server.url), server
            )


def _job(tool: Tool, case: Case, url: str) -> Job:
    """Without the rate for a tool that can't send at one."""
    job = replace(case.job, url=url)
    return job if tool.paced else replace(job, rate=None)


def _facts(tool: Tool, cache: Path) -> ToolFacts:
    known = ToolFacts(
        name=tool.name, body=tool.body, model=tool.model, paced=tool.paced, note=tool.note
    )
    try:
        return msgspec.structs.replace(known, version=tool.version(cache))
    except Absent as reason:
        return msgspec.structs.replace(known, absent=str(reason))


def _say(what: str, error: str) -> None:
    sys.stderr.write(f"{what}: {error}\n" if error else f"{what}\n")
