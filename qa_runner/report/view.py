"""A run as the plain dictionary that the template shows; all formatting happens here."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import quote

import msgspec

from qa_runner.criteria import CriterionResult
from qa_runner.report.attempts import last_begun
from qa_runner.report.criteria import ICONS, URGENCY, anchors, criterion_row, ordered
from qa_runner.report.failures import rows as failure_rows
from qa_runner.report.figures import Drawings
from qa_runner.report.findings import findings
from qa_runner.report.format import cell, duration, moment, plural
from qa_runner.report.source import Source
from qa_runner.report.steps import drawing_view, step_view
from qa_runner.report.text import visible
from qa_runner.report.trust import trust
from qa_runner.report.version import measured_versions
from qa_runner.result import RunResult
from qa_runner.sample_file import ENDING, TEXTS_ENDING
from qa_runner.table import SERIES
from qa_runner.verdict import Verdict

__all__ = ["GLOSSARY", "view"]

_MOST_JSON_BYTES = 150_000
_MOST_FACT = 240
_FEW = 12
"""So many criteria need no part that is folded."""
_SETTLED = (Verdict.PASS, Verdict.SKIPPED)
_GROUP_WORDS = {
    Verdict.FAIL: "failed",
    Verdict.ERROR: "could not run",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.PASS: "passed",
    Verdict.SKIPPED: "skipped",
}
_STATUS_WORDS = {
    "running": "This run has not finished",
    "interrupted": "Interrupted",
    "crashed": "Crashed",
    "stopped": "Stopped for safety",
}
GLOSSARY = (
    (
        "Response time",
        (
            "from when a request was due to when its answer was complete, of every request that "
            "was answered, also with an error"
        ),
    ),
    ("Service time", "from when a request was started to when its answer was complete"),
    (
        "Coordinated omission",
        (
            "leaving out the wait of requests that a slow server kept from being sent in time; "
            "response times here count from the due time, so that it does not happen"
        ),
    ),
    ("Margin bar", "the measured value; the tick is the limit, an arrow means far beyond it"),
    ("n", "how many requests, readings or rows a value was made from"),
    ("p(95)", "the value that 95 % of the requests stayed at or below, linearly interpolated"),
    (
        "95 % interval",
        (
            "where the true value lies with 95 % confidence; it informs, never decides. Too few "
            "requests give none: a p(95) takes 72"
        ),
    ),
    (
        "Network (of a response time)",
        "all of it outside the application: connecting, transfer, waiting for a worker",
    ),
    ("Throughput", "successful responses per second"),
    ("Virtual user", "sends, waits for the answer, and sends again (a closed model)"),
    ("Arrival rate", "requests that are due each second whatever the server does (an open model)"),
    ("Burst", "requests that are due at the same moment"),
    ("Dropped iteration", "a request that was due but not started: too many were unanswered"),
    ("RSS", "resident memory of the server's processes"),
    ("Growth", "the last reading of a part less the first"),
    ("Slope", "of the Theil-Sen line through the readings"),
    ("Knee", "the fewest virtual users that reach nine tenths of the highest throughput"),
    ("Baseline band", "what counts as the response time before the load: see step 8"),
    ("Profile", "a named set of parameters; its verdict is that of the profile, not of the case"),
    ("Drift", "slope of the Theil-Sen line times the number of requests"),
    ("INCONCLUSIVE", "could not be measured; never a pass"),
    ("ERROR", "could not run, or the load generator was the bottleneck"),
)


def view(source: Source, drawings: Drawings) -> dict[str, Any]:
    """Everything that the page says."""
    run = source.run
    known = anchors(run)
    found = findings(source)
    return {
        "title": _title(run),
        "banner": _banner(source) | {"cause": _cause(run, found)},
        "criteria": _criteria(run, known),
        "counts": _counts(run),
        "overridden": any(result.document_limit is not None for result in run.criteria()),
        "findings": found,
        "glance": drawing_view(drawings.timeline),
        "inside": drawing_view(drawings.inside) if drawings.inside else None,
        "steps": [
            step_view(source, step, drawings.steps.get(step.number), known) for step in run.steps
        ],
        "failures": failure_rows(source),
        "trust": trust(source),
        "appendix": _appendix(source, drawings),
        "tool_version": run.tool_version,
    }


def _title(run: RunResult) -> str:
    """The verdict of exactly what ran: a scoped run never speaks for the whole case."""
    of = f"{run.scope} of {run.test_id}" if run.scope else run.test_id
    return f"{run.verdict.value} — {of}"


def _criteria(run: RunResult, known: set[str]) -> dict[str, Any]:
    """Failures first; many that passed are folded, so that the rest is on one screen.

    Beside failures they are one group, and alone a group for each step. So is what a run that
    ended early did not reach, and what does not count: a selected step only needed it.
    """
    selected = [step for step in run.steps if step.selected]
    listed = ordered([held for step in selected for held in step.reached()])
    first, groups = listed, {}
    if len(listed) > _FEW:
        first = [result for result in listed if result.verdict not in _SETTLED]
        groups = (
            {"": listed[len(first) :]}
            if first
            else {f"Step {step.number}: {step.title}": step.reached() for step in selected}
        )
    needed = [result for step in run.steps if not step.selected for result in step.criteria()]
    groups["Not reached"] = [held for step in selected for held in step.unreached]
    groups["Prerequisites, not part of this run"] = ordered(needed)
    return {
        "first": [criterion_row(result, known) for result in first],
        "groups": [
            {
                "of": of,
                "words": _words(held),
                "rows": [criterion_row(result, known) for result in held],
            }
            for of, held in groups.items()
            if held
        ],
    }


def _words(results: list[CriterionResult]) -> str:
    counted = Counter(result.verdict for result in results)
    words = [
        f"{plural(counted[verdict], 'criterion', 'criteria')} {_GROUP_WORDS[verdict]}"
        for verdict in URGENCY
        if counted[verdict]
    ]
    return ", ".join(words)


def _cause(run: RunResult, found: dict[str, Any]) -> str:
    """The likeliest of the findings, for the banner of a run that did not pass."""
    likely = [row["sentence"] for row in found["rows"] if row["likely"]]
    return likely[0] if likely and run.verdict is not Verdict.PASS else ""


def _counts(run: RunResult) -> list[dict[str, str]]:
    counted = Counter(
        result.verdict for step in run.steps if step.selected for result in step.criteria()
    )
    return [
        {"verdict": verdict.value, "icon": ICONS[verdict], "count": f"{counted[verdict]:,}"}
        for verdict in URGENCY
        if counted[verdict]
    ]


def _banner(source: Source) -> dict[str, Any]:
    run = source.run
    target = run.target
    facts = [
        ("Target", f"{target.name} · {target.url}" if target.url else target.name),
        ("Environment", target.environment),
        ("Version", measured_versions(run)),
        ("Faults switched on", ", ".join(target.faults)),
        ("Started", moment(run.started)),
        ("Duration", duration(run.duration_seconds)),
        ("Profile", run.profile),
        ("Overrides", ", ".join(run.overrides)),
        ("From qa-runner.toml", ", ".join(run.configured)),
        ("Run", run.run_id),
    ]
    return {
        "heading": _title(run),
        "verdict": run.verdict.value,
        "icon": ICONS[run.verdict],
        "test_name": run.test_name,
        "description": run.description,
        "reason": run.reason or _so_far(run),
        "status": _status(run),
        "facts": [(name, _shortened(value)) for name, value in facts if value],
    }


def _shortened(value: str) -> str:
    """The banner is to be taken in at a glance; run.json has all of it."""
    return f"{value[:_MOST_FACT]}…" if len(value) > _MOST_FACT else value


def _so_far(run: RunResult) -> str:
    """In place of the reason, which only the end of a run stores."""
    counted = [result for result in run.criteria() if result.verdict is not Verdict.SKIPPED]
    reached = [result for step in run.steps for result in step.reached()]
    judged = [result for result in reached if result.verdict is not Verdict.SKIPPED]
    if not judged:
        return "No criterion was judged."
    failed = sum(result.verdict is Verdict.FAIL for result in judged)
    of = plural(len(counted), "criterion", "criteria")
    return f"{len(judged):,} of {of} judged so far, {failed:,} failed."


def _status(run: RunResult) -> str:
    words = _STATUS_WORDS.get(run.status)
    if words is None:
        return ""
    last = last_begun(run.steps)
    where = ""
    if last is not None:
        during = "; the last step begun is" if run.status == "running" else " during step"
        where = f"{during} {last.number} {last.title}"
    why = f": {run.stop_reason}" if run.stop_reason else ""
    return f"{words}{where}{why}. What was measured is below."


def _appendix(source: Source, drawings: Drawings) -> dict[str, Any]:
    run = source.run
    target = run.target
    environment = {**run.environment, **{f"target: {k}": v for k, v in target.facts.items()}}
    return {
        "settings": sorted((name, _setting(value)) for name, value in run.settings.items()),
        "environment": sorted(environment.items()),
        "sessions": [
            (str(held.id), moment(held.wall_start), held.command) for held in run.sessions
        ],
        "files": _files(source, drawings),
        "json": _json(run),
        "glossary": GLOSSARY,
    }


def _setting(value: Any) -> str:
    return msgspec.json.encode(value).decode() if isinstance(value, dict) else cell(value)


def _files(source: Source, drawings: Drawings) -> list[dict[str, str]]:
    """Raw files beside the page, as relative links; what the run did not write is left out."""
    folder = source.reader.folder
    names = ["run.json"]
    samples = [attempt.samples for step in source.run.steps for attempt in step.attempts]
    names += [name for held in samples for name in (held, _texts_name(held))]
    names += [f"series/{name}.csv" for name in SERIES]
    names.append("server.log")
    there = [name for name in dict.fromkeys(names) if name and (folder / name).is_file()]
    # The figures are written together with the page.
    there += [f"figures/{drawing.name}.png" for drawing in drawings]
    return [{"name": name, "href": quote(name)} for name in there]


def _texts_name(samples: str) -> str:
    """The file with the texts of a file of samples; itself, where that is CSV."""
    return samples.removesuffix(ENDING) + TEXTS_ENDING if samples.endswith(ENDING) else samples


def _json(run: RunResult) -> str:
    """run.json as text if it is small."""
    text = msgspec.json.format(msgspec.json.encode(run), indent=2).decode()
    return visible(text) if len(text) <= _MOST_JSON_BYTES else ""
