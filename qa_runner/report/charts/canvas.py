"""Draw one figure to SVG and PNG, the same bytes on every machine."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qa_runner.report.charts.arrange import arrange
from qa_runner.report.charts.palette import INK
from qa_runner.report.charts.readout import mark
from qa_runner.report.svg import inline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Caption", "Drawing", "absent", "draw", "stacked"]

WIDTH_INCHES = 9.6
_DOTS_PER_INCH = 150
_PNG_LEVEL = 3
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
# The font that matplotlib brings along: a machine's own fonts must not change the layout.
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.parse_math": False,
    # A tenth of the drawing, and nobody sees it at this density.
    "text.hinting": "none",
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    # At its place: looking for what might be in the way takes a tenth of the drawing. Nothing is,
    # as long as no axis writes a common factor ("1e6") above its labels.
    "axes.titley": 1.0,
    "axes.formatter.limits": (-12, 12),
    "axes.formatter.useoffset": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.12,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    # The lines of the grid are marks enough.
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.major.pad": 5,
    "ytick.major.pad": 5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "svg.hashsalt": "qa-runner",
    "path.simplify": True,
}


@dataclass(frozen=True)
class Caption:
    """What a figure says in words, and its data as a table."""

    title: str
    description: str
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True)
class Drawing:
    """A drawn figure. ``name`` is that of its PNG file, without the ending."""

    name: str
    caption: Caption
    svg: str
    png: bytes


def draw(name: str, paint: Callable[[Figure], Caption]) -> Drawing:
    """Let ``paint`` draw on a fresh figure, without matplotlib's global state."""
    import matplotlib as mpl  # noqa: PLC0415 (heavy; only where it is used)
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 (heavy)
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415 (heavy)
    from matplotlib.figure import Figure  # noqa: PLC0415 (heavy)

    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()  # a user's own settings would change the bytes
        mpl.rcParams.update(_STYLE)
        # Names in scripts that the font lacks: the browser's fonts show them in the SVG.
        warnings.filterwarnings("ignore", message="Glyph")
        figure = Figure(figsize=(WIDTH_INCHES, 3.2), dpi=_DOTS_PER_INCH, facecolor="white")
        # One canvas for the layout and the picture: it remembers the sizes of words.
        canvas: Any = FigureCanvasAgg(figure)
        caption = paint(figure)
        vector, raster = io.BytesIO(), io.BytesIO()
        # Printing through the canvases draws once each, savefig twice.
        arrange(figure)
        axes_data = mark(figure)
        # A quarter of the time of the usual level, for a fifth more bytes.
        canvas.print_png(
            raster, metadata={"Software": None}, pil_kwargs={"compress_level": _PNG_LEVEL}
        )
        for axes in figure.axes:
            axes.patch.set_visible(False)
        figure.patch.set_visible(False)
        canvas = FigureCanvasSVG(figure)
        canvas.print_svg(vector, metadata=_NO_METADATA)
    words = caption.title, caption.description
    svg = inline(vector.getvalue(), f"figure-{name}", *words, axes=axes_data)
    return Drawing(name, caption, svg, raster.getvalue())


def stacked(figure: Figure, heights: list[float], *, share_x: bool = False) -> list[Axes]:
    """Axes below each other, their heights in inches."""
    figure.set_size_inches(WIDTH_INCHES, sum(heights) + 0.35)
    drawn = figure.subplots(
        len(heights), 1, squeeze=False, sharex=share_x, gridspec_kw={"height_ratios": heights}
    )
    return list(drawn[:, 0])


def absent(axes: Axes, title: str, reason: str) -> None:
    """Say in the place of a chart that it could not be measured."""
    axes.set_title(title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.text(
        0.5,
        0.5,
        f"not measured: {reason}",
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=INK,
        style="italic",
    )
