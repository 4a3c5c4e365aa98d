"""Which requests failed with a cause that their answer, or else the server's log, names."""

from __future__ import annotations

import re

import numpy as np

from qa_runner.report.diagnosis.evidence import Owner, matches
from qa_runner.table import Mask

__all__ = ["said"]

_MOSTLY = 0.5
_SERVER_ERRORS = 500
_NAMED = re.compile(
    r"is locked|deadlock|lock timeout|obtain lock|statement|timed? ?out|connection|OperationalError"
    r"|IntegrityError",
    re.IGNORECASE,
)


def said(owner: Owner, pattern: re.Pattern[str], kind: str = "") -> Mask:
    """Requests without success whose error or body has the pattern, shape (samples,).

    Server errors whose body names no cause are among them if most errors that the server logged
    meanwhile have the pattern, and are of the log's ``kind`` if one is given.
    """
    samples = owner.samples
    mask: Mask = matches(samples, pattern, "error", "excerpt") & ~owner.good
    silent = samples.number("status") >= _SERVER_ERRORS
    silent &= ~matches(samples, _NAMED, "error", "excerpt") & ~mask
    if silent.any():
        logged = owner.logged([kind]) if kind else owner.errors_logged()
        fitting = sum(bool(pattern.search(text)) for text in logged)
        every = len(owner.errors_logged())
        if fitting and fitting >= _MOSTLY * every:
            mask = mask | silent
    return np.asarray(mask, dtype=bool)
