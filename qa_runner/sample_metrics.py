"""Metrics of samples: rates, times and counts over the requests of a load.

Definitions. *Due* requests are all rows but the cancelled ones; dropped iterations are due and
did not succeed. Times (response time and its kin) are over requests that got a complete HTTP
response or timed out: a refused connection has no response time, and a fast refusal must not
make a server look quick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from qa_runner import estimate
from qa_runner.criteria import Measurement
from qa_runner.load.plan import Outcome
from qa_runner.table import Floats, Table

__all__ = [
    "INSIDE",
    "RATES",
    "TIMES",
    "VALUES",
    "answered",
    "computed",
    "delivered",
    "is_outcome",
    "late_starts",
    "rate",
    "times_of",
    "told_of_inside",
]

Mask = npt.NDArray[np.bool_]

_LATE_SECONDS = 0.1
_NOT_ANSWERED = (Outcome.DROPPED, Outcome.CANCELLED, Outcome.CONNECTION_ERROR)


def is_outcome(samples: Table, *outcomes: Outcome) -> Mask:
    """Mask, shape (rows,), of the rows with one of these outcomes."""
    return samples.text_among("outcome", outcomes)


def answered(samples: Table) -> Mask:
    """Mask, shape (rows,), of the requests that have a response time."""
    return ~is_outcome(samples, *_NOT_ANSWERED)


def late_starts(samples: Table) -> str:
    """By how much requests started after they were due, if that was late; else empty."""
    late = samples.number("started") - samples.number("due")
    late = late[np.isfinite(late)]
    if late.size == 0:
        return ""
    typical = estimate.percentile(late, 95)
    if typical < _LATE_SECONDS:
        return ""
    return f"requests started up to {1000 * typical:.0f} ms after they were due"


def delivered(samples: Table) -> bool:
    """Whether the load was sent as intended: nothing dropped, and nearly all of it on time."""
    return not is_outcome(samples, Outcome.DROPPED).any() and not late_starts(samples)


def computed(compute: Callable[[Table], float | None], samples: Table) -> Measurement:
    """What a case's own function makes of the samples."""
    try:
        value = compute(samples)
    except Exception as error:  # noqa: BLE001 (the function is of the case: anybody's code)
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        return Measurement(reason=f"computing it failed: {cause}")
    if value is None:
        return Measurement(reason="no response held what this needs")
    return Measurement(value=value, sample_size=len(samples))


def rate(samples: Table, counted: Callable[[Table], Mask]) -> Measurement:
    """The share of the requests due that ``counted`` picks, in percent, with its interval."""
    due = samples.where(~is_outcome(samples, Outcome.CANCELLED))
    if len(due) == 0:
        return Measurement(reason="no request was due")
    hits = int(counted(due).sum())
    low, high = estimate.rate_interval(hits, len(due))
    return Measurement(
        value=100.0 * hits / len(due),
        interval=(100.0 * low, 100.0 * high),
        sample_size=len(due),
    )


RATES: Mapping[str, Callable[[Table], Mask]] = {
    "success_rate": lambda samples: is_outcome(samples, Outcome.SUCCESS),
    "error_rate": lambda samples: ~is_outcome(samples, Outcome.SUCCESS),
    "server_error_rate": lambda samples: is_outcome(samples, Outcome.SERVER_ERROR),
    "client_error_rate": lambda samples: is_outcome(
        samples, Outcome.CLIENT_ERROR, Outcome.THROTTLED
    ),
    "timeout_rate": lambda samples: is_outcome(samples, Outcome.TIMEOUT),
    "connection_error_rate": lambda samples: is_outcome(samples, Outcome.CONNECTION_ERROR),
}
TIMES: Mapping[str, tuple[str, str]] = {
    "response_time": ("due", "finished"),
    "service_time": ("started", "finished"),
    "connect_time": ("started", "connected"),
    "time_to_first_byte": ("started", "first_byte"),
}
INSIDE: Mapping[str, str] = {
    "application_time": "application_seconds",
    "database_time": "database_seconds",
    "query_count": "queries",
}
"""The column of each metric that a response tells in its Server-Timing header."""


def told_of_inside(samples: Table) -> set[str]:
    """Those of the metrics in INSIDE that a response told; data sources of the same names."""
    return {name for name, column in INSIDE.items() if np.isfinite(samples.number(column)).any()}


def _requests(samples: Table) -> Measurement:
    due = int((~is_outcome(samples, Outcome.CANCELLED)).sum())
    if due == 0:
        return Measurement(reason="no request was due")
    return Measurement(value=due, sample_size=due)


def _dropped(samples: Table) -> Measurement:
    due = int((~is_outcome(samples, Outcome.CANCELLED)).sum())
    if due == 0:
        return Measurement(reason="no request was due")
    return Measurement(value=int(is_outcome(samples, Outcome.DROPPED).sum()), sample_size=due)


def _span(samples: Table) -> tuple[float, int]:
    """Seconds from the first request due to the last finished, and how many there were."""
    finished = samples.number("finished")
    known = np.isfinite(finished)
    if not known.any():
        return float("nan"), 0
    return float(finished[known].max() - np.nanmin(samples.number("due"))), int(known.sum())


def _duration(samples: Table) -> Measurement:
    seconds, count = _span(samples)
    if not answered(samples).any():
        # A server that refuses is not quick.
        return Measurement(reason="no request was answered")
    return Measurement(value=seconds, sample_size=count)


def _throughput(samples: Table) -> Measurement:
    """Successes over the time from the first request due to the last success."""
    if _span(samples)[1] == 0:
        return Measurement(reason="no request was finished")
    succeeded = is_outcome(samples, Outcome.SUCCESS)
    successes = int(succeeded.sum())
    if successes == 0:
        return Measurement(value=0.0, sample_size=0)
    last = float(samples.number("finished")[succeeded].max())
    seconds = last - float(np.nanmin(samples.number("due")))
    if seconds <= 0:
        return Measurement(reason="the requests took no time that can be measured")
    return Measurement(value=successes / seconds, sample_size=successes)


def _status(samples: Table) -> Measurement:
    answered = samples.number("status")[samples.number("status") > 0]
    if answered.size == 0:
        return Measurement(reason="no request was answered")
    return Measurement(value=float(answered[-1]), sample_size=int(answered.size))


def _silent_failures(samples: Table) -> Measurement:
    answered = int((samples.number("status") > 0).sum())
    if answered == 0:
        return Measurement(reason="no request was answered")
    return Measurement(value=int(is_outcome(samples, Outcome.INVALID).sum()), sample_size=answered)


def _malformed_errors(samples: Table) -> Measurement:
    answered = samples.number("status") > 0
    if not answered.any():
        return Measurement(reason="no request was answered")
    errors = answered & is_outcome(
        samples,
        Outcome.CLIENT_ERROR,
        Outcome.THROTTLED,
        Outcome.SERVER_ERROR,
        Outcome.OTHER,
    )
    malformed = errors & (samples.number("json_object") != 1)
    return Measurement(value=int(malformed.sum()), sample_size=int(errors.sum()))


VALUES: Mapping[str, Callable[[Table], Measurement]] = {
    "requests": _requests,
    "dropped_iterations": _dropped,
    "duration": _duration,
    "throughput": _throughput,
    "status": _status,
    "silent_failures": _silent_failures,
    "malformed_errors": _malformed_errors,
}


def times_of(samples: Table, name: str) -> Floats | None:
    """The values of a metric that has one for each request, in the order in which they were due.

    Only of those answered, the number of queries only of those that succeeded; in base units,
    shape (n,). None if there is no such metric.
    """
    if name in INSIDE:
        values = samples.number(INSIDE[name])
        if name == "query_count":
            # What fails is over before it has made all of its queries.
            values = np.where(is_outcome(samples, Outcome.SUCCESS), values, np.nan)
    elif name in TIMES:
        begin, finish = TIMES[name]
        values = samples.number(finish) - samples.number(begin)
        values[~answered(samples)] = np.nan
    else:
        return None
    # Rows stand in the order of their ends, in which slow requests come late: no drift.
    values = values[np.argsort(samples.number("due"), kind="stable")]
    return values[np.isfinite(values)]
