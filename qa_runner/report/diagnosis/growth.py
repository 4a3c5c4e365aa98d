"""Whether something that rose while requests were served goes on rising, or has levelled off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qa_runner.report.diagnosis.evidence import known
from qa_runner.table import Floats

__all__ = ["Growth", "growth"]

_LEAST_READINGS = 6
_GOES_ON = 0.2
_LEVEL = 0.1
"""Of an even rise, the last third of the requests has a third; of a plateau nothing."""


@dataclass(frozen=True)
class Growth:
    """A rise from ``first`` to ``last`` over ``requests``, in the unit of the readings.

    ``late`` is what the last third of the requests had of it, ``levelled`` after how many
    requests nine tenths of it were there.
    """

    first: float
    last: float
    late: float
    requests: int
    levelled: int

    @property
    def rise(self) -> float:
        """Last minus first."""
        return self.last - self.first

    @property
    def goes_on(self) -> bool:
        """Whether it still rose at the end, with every request."""
        return self.rise > 0 and self.late >= _GOES_ON * self.rise

    @property
    def is_plateau(self) -> bool:
        """Whether it rose early and stayed there."""
        return self.rise > 0 and self.late <= _LEVEL * self.rise

    @property
    def for_each_request(self) -> float:
        """What each of the late requests added."""
        return self.late / (self.requests / 3)


def growth(finished: Floats, times: Floats, values: Floats) -> Growth | None:
    """The growth of readings over the requests finished by then, all in seconds of one clock.

    ``times`` and ``values`` have the shape (n,), NaN where there was no reading; ``finished`` is
    of any length. None with fewer than six readings at different numbers of requests.
    """
    there = np.isfinite(values) & np.isfinite(times)
    times, values = times[there], values[there]
    done = np.sort(known(finished))
    served = np.searchsorted(done, times, side="right")
    if np.unique(served).size < _LEAST_READINGS:
        return None

    def level(requests: float) -> float:
        at = int(np.searchsorted(served, requests, side="right")) - 1
        return float(values[max(at, 0)])

    count = int(served[-1])
    first, last = float(values[0]), float(values[-1])
    near = np.flatnonzero(values - first >= (1 - _LEVEL) * (last - first))
    return Growth(
        first=first,
        last=last,
        late=last - level(2 * count / 3),
        requests=count,
        levelled=int(served[near[0]]) if near.size else count,
    )
