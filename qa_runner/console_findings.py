"""What went wrong on the terminal: the likeliest causes, each with its remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from qa_runner.report.text import visible

__all__ = ["print_findings"]

_MOST = 2
"""The report has all of them."""


def print_findings(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the first of the rows that :func:`qa_runner.report.findings.findings` makes."""
    for row in [row for row in rows if row["likely"]][:_MOST]:
        line = Text("likely cause  ", style="bold")
        line.append(visible(row["sentence"]), style="not bold")
        console.print(line, soft_wrap=True)
        if row["remedy"]:
            console.print(Text(f"              → {visible(row['remedy'])}"), soft_wrap=True)
