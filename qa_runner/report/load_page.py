"""The page of an ad-hoc load: one file, with nothing beside it."""

from __future__ import annotations

from typing import Any

from qa_runner.errors import RunFolderError
from qa_runner.report.charts import load, sustained
from qa_runner.report.charts.canvas import draw
from qa_runner.report.criteria import ICONS, anchors, criterion_row, ordered
from qa_runner.report.failures import rows as failure_rows
from qa_runner.report.findings import findings
from qa_runner.report.format import duration, moment, quantity
from qa_runner.report.html import fill
from qa_runner.report.source import Source
from qa_runner.report.steps import drawing_view, step_view
from qa_runner.report.trust import trust
from qa_runner.report.view import GLOSSARY
from qa_runner.result import PartResult, RunResult
from qa_runner.store import RunReader
from qa_runner.verdict import Verdict

__all__ = ["load_page"]

_TEMPLATE = "load.html.j2"


def load_page(reader: RunReader) -> str:
    """The page of a run folder that holds one load, as its only step and part; writes nothing.

    Raises RunFolderError if the folder is no run, is damaged, or holds no load.
    """
    source = Source(reader)
    run = source.run
    data = source.step(run.steps[0]) if run.steps else None
    if data is None or not data.attempt.parts:
        raise RunFolderError(f"{reader.folder} holds no load")
    known = anchors(run)
    drawings = [
        draw("load", lambda figure: load.paint(data, figure)),
        draw("response-times", lambda figure: sustained.paint(data, figure)),
    ]
    return fill(
        _TEMPLATE,
        {
            "title": run.test_id,
            "banner": _banner(run, data.attempt.parts[0]),
            "criteria": [criterion_row(result, known) for result in ordered(run.criteria())],
            "findings": findings(source),
            # There is no PNG beside this page.
            "figures": [drawing_view(drawing) | {"file": ""} for drawing in drawings],
            "part": step_view(source, data.step, None, known)["parts"][0],
            "failures": failure_rows(source),
            "trust": trust(source),
            "environment": sorted(run.environment.items()),
            "glossary": GLOSSARY,
            "tool_version": run.tool_version,
        },
    )


def _banner(run: RunResult, part: PartResult) -> dict[str, Any]:
    judged = run.verdict is not Verdict.SKIPPED
    outcomes = [item for load in part.loads for item in load.outcomes.items()]
    counted = ", ".join(f"{count:,} {name}" for name, count in outcomes)
    return {
        "heading": run.test_id,
        "verdict": run.verdict.value if judged else "",
        "icon": ICONS[run.verdict],
        "test_name": run.test_name,
        "reason": run.reason,
        "status": ""
        if run.status == "finished"
        else ": ".join(filter(None, (run.status.title(), run.stop_reason))),
        "facts": [
            ("Requests", counted or "none"),
            *(
                (metric.name.capitalize(), quantity(metric.value, metric.unit))
                for metric in part.metrics
            ),
            ("Started", moment(run.started)),
            ("Duration", duration(run.duration_seconds)),
            ("Tag", run.tag),
        ],
    }
