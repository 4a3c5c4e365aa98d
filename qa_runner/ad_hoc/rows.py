"""The samples as CSV, a row for each request."""

from __future__ import annotations

import numpy as np

from qa_runner.table import Columns, Table

__all__ = ["COLUMNS", "rows_of"]

COLUMNS = Columns(
    numbers=(
        "iteration",
        "user",
        "due",
        "started",
        "finished",
        "response_time",
        "service_time",
        "connect_time",
        "time_to_first_byte",
        "status",
        "bytes",
        "reused",
    ),
    texts=("outcome", "error"),
)


def rows_of(samples: Table, start: float) -> Table:
    """The rows for people and other tools; ``start`` is the load's, on the clock of the samples."""
    due, started, finished = (samples.number(name) for name in ("due", "started", "finished"))
    return Table(
        COLUMNS,
        {
            "iteration": samples.number("iteration") + 1,
            "user": samples.number("user"),
            "due": due - start,
            "started": started - start,
            "finished": finished - start,
            "response_time": finished - due,
            "service_time": finished - started,
            "connect_time": np.where(
                samples.number("reused") == 0, samples.number("connected") - started, np.nan
            ),
            "time_to_first_byte": samples.number("first_byte") - started,
            "status": samples.number("status"),
            "bytes": samples.number("bytes_received"),
            "reused": samples.number("reused"),
            "outcome": samples.text("outcome"),
            "error": samples.text("error"),
        },
    )
