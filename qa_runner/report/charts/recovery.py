"""Step 8: probes after heavy load, with the baseline band and the moment of recovery."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from qa_runner.report.charts.canvas import Caption, absent, stacked
from qa_runner.report.charts.marks import SUMMARY_COLUMNS, load_shade, outcome_dots, summary
from qa_runner.report.charts.palette import GREEN, INK
from qa_runner.report.charts.points import as_number, finite, scale_seconds
from qa_runner.report.format import quantity
from qa_runner.report.source import SINGLE_ROLES, StepData, response_seconds
from qa_runner.result import RecordedMetric
from qa_runner.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["band_seconds", "paint", "recovered_at"]

_TITLE = "Recovery after heavy load"


def paint(data: StepData, figure: Figure) -> Caption:
    """Draw it."""
    upper, lower = stacked(figure, [1.9, 2.3], share_x=True)
    origin = data.attempt.start
    probes, others = data.single()
    _heavy(data, upper, others, origin)
    recovered = _recovery(data)
    _probes(data, lower, probes, origin, recovered)
    lower.set_xlabel("time since the step began [s]; shaded: load")
    rows = [
        summary(f"{role} requests", data.samples.where(data.samples.text_equals("role", role)))
        for role in data.samples.distinct("role")
    ]
    said = _sentence(recovered)
    if band_seconds(data) is None:
        said += " The baseline band is not drawn: this attempt stored none."
    return Caption(_TITLE, said, SUMMARY_COLUMNS, rows)


def band_seconds(data: StepData) -> float | None:
    """Upper end of the band that the attempt was judged with, in seconds; None if not stored.

    The baseline of today may be another one: an earlier step can have been rerun.
    """
    band = next((as_number(row.get("band s")) for row in data.stored("band")), math.nan)
    return band if math.isfinite(band) else None


def _recovery(data: StepData) -> RecordedMetric | None:
    return next(
        (
            metric
            for part in data.attempt.parts
            for metric in part.metrics
            if metric.name == "recovery_time"
        ),
        None,
    )


def _sentence(recovered: RecordedMetric | None) -> str:
    if recovered is None or recovered.value is None:
        reason = recovered.reason if recovered else ""
        return f"The time to recover was not measured{': ' + reason if reason else ''}."
    if recovered.beyond:
        return f"Not recovered within {quantity(recovered.value, 's')}."
    return f"Recovered {quantity(recovered.value, 's')} after the load ended."


def _heavy(data: StepData, axes: Axes, samples: Table, origin: float) -> None:
    load_shade(axes, data.loads(), origin)
    x, y = finite(samples.number("due") - origin, response_seconds(samples))
    if not x.size:
        absent(axes, "Heavy load", "no requests were answered")
        return
    factor, unit = scale_seconds(float(y.max()))
    outcome_dots(
        axes,
        samples.number("due") - origin,
        response_seconds(samples) * factor,
        samples,
    )
    axes.set_ylim(0, float(y.max()) * factor * 1.3)
    axes.set_ylabel(f"response time [{unit}]")
    axes.set_title("The load, and the requests after it")
    axes.legend(loc="upper right", ncols=4)


def _probes(
    data: StepData, axes: Axes, probes: Table, origin: float, recovered: RecordedMetric | None
) -> None:
    load_shade(axes, data.loads(), origin)
    x, y = finite(probes.number("due") - origin, response_seconds(probes))
    if not x.size:
        absent(axes, "Probes", "no probe was answered")
        return
    factor, unit = scale_seconds(float(y.max()))
    band = band_seconds(data)
    if band is not None:
        label = f"baseline band, up to {quantity(band, 's')}"
        axes.axhspan(0, band * factor, color=GREEN, alpha=0.15, lw=0, label=label)
    outcome_dots(
        axes,
        probes.number("due") - origin,
        response_seconds(probes) * factor,
        probes,
    )
    axes.set_ylim(0, max(float(y.max()), band or 0.0) * factor * 1.35)
    when = recovered_at(data)
    if recovered and recovered.value is not None and when is not None:
        axes.axvline(when - origin, color=GREEN, linewidth=1.6)
        axes.annotate(
            f"recovered after {quantity(recovered.value, 's')}",
            (when - origin, 0),
            xytext=(4, 4),
            textcoords="offset points",
            fontsize=8,
            color=INK,
        )
    axes.set_ylabel(f"response time [{unit}]")
    missing = "" if band is not None else " (the baseline band was not stored)"
    axes.set_title(f"Single requests beside and after the load{missing}")
    axes.legend(loc="upper right", ncols=3)


def recovered_at(data: StepData) -> float | None:
    """When the target had recovered, on the session's clock; None where that is not known."""
    recovered = _recovery(data)
    if recovered is None or recovered.value is None or recovered.beyond:
        return None
    marked = data.window("recovery")
    if marked is not None:
        return marked.end
    loads = [load.end for load in data.loads() if load.role not in SINGLE_ROLES]
    return loads[0] + recovered.value if loads else None
