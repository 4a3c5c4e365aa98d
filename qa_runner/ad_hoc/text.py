"""What ``qa-runner load`` prints for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.text import Text

from qa_runner.ad_hoc import histogram
from qa_runner.ad_hoc.summary import Summary, Times
from qa_runner.console import verdict_text
from qa_runner.criteria import CriterionResult
from qa_runner.report.criteria import measured_text
from qa_runner.report.format import duration, number, plural, quantity
from qa_runner.report.text import visible
from qa_runner.table import Floats

__all__ = ["judgement_lines", "one_line", "print_text", "warnings_of"]

_INDENT = "  "
_NONE = "\u2013"
_ALL_PERCENT = 100.0


def print_text(console: Console, summary: Summary, response_times: Floats) -> None:
    """Everything; ``response_times`` are seconds, shape (n,), for the histogram."""
    head, sent = _sent(summary)
    console.print(Text(head, style="bold"), soft_wrap=True)
    console.print(sent, soft_wrap=True)
    _block(console, "", _main_figures(summary))
    if summary.response_time.n:
        _block(console, "response time, from when a request was due", _times_lines(summary))
        drawn = histogram.lines(
            response_times, console.width - len(_INDENT), ascii_only=not _draws_blocks(console)
        )
        _block(console, "", drawn)
    _block(console, "status codes", _status_codes(summary))
    _block(console, "errors", _errors(summary))
    _block(console, "load generator", [_generator(summary)])
    lines = judgement_lines(summary.expectations, known=summary.generator.caution)
    _block(console, "expectations", lines)
    warnings = warnings_of(summary)
    if warnings:
        console.print()
    for warning in warnings:
        console.print(Text(f"! {warning}", style="bold yellow"), soft_wrap=True)


def one_line(summary: Summary) -> str:
    """The load in one line, for --quiet."""
    words = [plural(summary.requests, "request")]
    if summary.success_rate is not None:
        words.append(f"success rate {quantity(summary.success_rate, '%')}")
    if summary.throughput is not None:
        words.append(quantity(summary.throughput, "req/s"))
    if summary.response_time.p95 is not None:
        words.append(f"p(95) {quantity(summary.response_time.p95, 's')}")
    if summary.stop_reason:
        words.append(f"{summary.status}: {summary.stop_reason}")
    return visible(", ".join(words))


def judgement_lines(results: Iterable[CriterionResult], known: str = "") -> Iterator[Text]:
    """A line for each expectation with its verdict; a note that is ``known`` is left out."""
    for result in results:
        line = verdict_text(result.verdict)
        line.append(f"  {visible(result.expression)}", style="not bold default")
        notes = (note for note in result.note.split("; ") if note != known)
        said = [measured_text(result), result.reason, *notes]
        if result.measured is None:
            said = said[1:]
        elif result.interval is not None:
            low, high = (quantity(bound, result.unit) for bound in result.interval)
            said.insert(1, f"95 % interval {low} to {high}")
        line.append(f"   {visible('; '.join(filter(None, said)))}", style="not bold default dim")
        yield line


def warnings_of(summary: Summary) -> list[str]:
    """What must not be overlooked, a sentence each."""
    found = []
    if summary.requests and not summary.successes:
        found.append(f"NOT ONE of {plural(summary.requests, 'request')} succeeded.")
    if not summary.requests:
        found.append(
            f"{plural(summary.cancelled, 'request')} had no answer yet when the load was stopped."
            if summary.cancelled
            else "No request was sent, so that nothing is known."
        )
    if summary.generator.saturated:
        found.append(
            f"The load generator was the bottleneck: {summary.generator.reason}. "
            "These figures say what it can send, not what the server can answer."
        )
    elif summary.generator.caution:
        found.append(summary.generator.caution)
    if summary.dropped:
        found.append(
            f"{plural(summary.dropped, 'request')} of {summary.requests:,} could not start: too "
            "many were in flight. The server was slower than the rate; --users raises the limit."
        )
    if summary.status != "finished":
        found.append(
            f"The load did not go to its end: {summary.stop_reason}. This is what was measured."
        )
    return [visible(warning) for warning in found]


def _block(console: Console, heading: str, lines: Iterable[Text | str]) -> None:
    listed = list(lines)
    if not listed:
        return
    console.print()
    if heading:
        console.print(Text(heading, style="bold"))
    for line in listed:
        text = line if isinstance(line, Text) else Text(line)
        console.print(Text(_INDENT).append_text(text), soft_wrap=True)


def _draws_blocks(console: Console) -> bool:
    try:
        "█▏".encode(console.encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _sent(summary: Summary) -> tuple[str, str]:
    how = {"new": "a new connection for each request", "keep-alive": "kept connections"}
    details = (summary.shape, how[summary.connections], f"timeout {summary.timeout_seconds:g} s")
    return visible(f"{summary.method} {summary.url}"), ", ".join(details)


def _rows(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    """Label, value and remark in columns, the values aligned at their right."""
    listed = list(rows)
    first = max(len(label) for label, _, _ in listed)
    second = max(len(value) for _, value, _ in listed)
    return [
        f"{label:<{first}}  {value:>{second}}   {remark}".rstrip()
        for label, value, remark in listed
    ]


def _main_figures(summary: Summary) -> Iterator[Text]:
    rate, interval = summary.success_rate, summary.success_rate_interval
    between = ""
    if interval is not None:
        low, high = (quantity(bound, "%") for bound in interval)
        between = f"; 95 % interval {low} to {high}"
    seconds, connect = summary.duration_seconds, summary.connect_time
    rows = [
        (
            "success rate",
            quantity(rate, "%"),
            f"{summary.successes:,} of {plural(summary.requests, 'request')}{between}",
        ),
        ("throughput", quantity(summary.throughput, "req/s"), "successes per second"),
        ("duration", _NONE if seconds is None else duration(seconds), ""),
        ("received", quantity(summary.bytes, "bytes"), ""),
    ]
    if connect.n:
        remark = (
            f"median of {plural(connect.n, 'new connection')}; "
            f"p(95) {quantity(connect.p95, 's')}, max {quantity(connect.max, 's')}"
        )
        rows.append(("connect time", quantity(connect.p50, "s"), remark))
    first, *others = (Text(line) for line in _rows(rows))
    if rate != _ALL_PERCENT:
        first.stylize("bold yellow" if rate else "bold red")
    yield from (first, *others)


def _times_lines(summary: Summary) -> list[str]:
    times = summary.response_time
    return _rows(
        (label, quantity(getattr(times, name), "s"), _between(times, name))
        for name, label in (
            ("mean", "mean"),
            ("stddev", "std. dev."),
            ("min", "min"),
            ("p50", "p(50)"),
            ("p90", "p(90)"),
            ("p95", "p(95)"),
            ("p99", "p(99)"),
            ("max", "max"),
        )
    )


def _between(times: Times, name: str) -> str:
    interval = times.intervals.get(name)
    if interval is not None:
        low, high = (quantity(bound, "s") for bound in interval)
        return f"95 % interval {low} to {high}"
    return f"too few values for an interval ({times.n})" if name.startswith("p") else ""


def _status_codes(summary: Summary) -> list[str]:
    codes = summary.status_codes.items()
    return _rows((status, f"{count:,}", "") for status, count in codes) if codes else []


def _errors(summary: Summary) -> Iterator[Text]:
    width = max((len(f"{cause.count:,}") for cause in summary.causes), default=0)
    for cause in summary.causes:
        line = Text(f"{cause.count:>{width},}  ")
        line.append(cause.error_class, style="red")
        line.append(f": {visible(cause.words)}")
        if cause.hint:
            line.append(f" ({cause.hint})", style="dim")
        yield line
    listed = sum(cause.count for cause in summary.causes)
    left = sum(summary.errors.values()) - listed
    if left > 0:
        yield Text(f"{left:>{width},}  of rarer causes", style="dim")


def _generator(summary: Summary) -> str:
    late, generator = summary.lateness, summary.generator
    cpu = "not measured" if generator.cpu is None else f"{number(generator.cpu)} % of a core"
    late_by = ", ".join(
        f"{quantity(value, 's')} ({name})"
        for name, value in (("p(50)", late.p50), ("p(99)", late.p99), ("max", late.max))
    )
    lag = "not measured" if generator.lag is None else f"up to {quantity(generator.lag, 's')}"
    return f"CPU {cpu}; event loop lag {lag}; starts late by {late_by}"
