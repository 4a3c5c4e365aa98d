"""What a session lends to its steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from qa_runner.calibration import Calibration
from qa_runner.clock import Clock
from qa_runner.load.limits import Limits
from qa_runner.load.process import GeneratorProcess, LoadHandle
from qa_runner.metric import Metric
from qa_runner.monitors.database import DatabaseProbe
from qa_runner.monitors.database_result import Mark
from qa_runner.monitors.monitor import Monitor
from qa_runner.redaction import redact
from qa_runner.result import Fact
from qa_runner.stop import StopToken
from qa_runner.table import SERIES, Table

__all__ = ["Instruments"]


@dataclass(slots=True)
class Instruments:
    """Clock, generator, monitors and database of a session, and where its findings go.

    ``headers`` go with every request to the target at ``url``; their values are secrets.
    """

    clock: Clock
    session: int
    url: str
    run_tag: str
    generator: GeneratorProcess
    monitors: Mapping[str, Monitor]
    database: DatabaseProbe | None
    database_reason: str
    stop: StopToken
    parameters: Mapping[str, Any]
    metrics: Mapping[str, Metric]
    facts: list[Fact]
    save_samples: Callable[[Table], None]
    read_all_samples: Callable[[], Table]
    save_health: Callable[[Table], None]
    progress: Callable[[LoadHandle], None]
    next_load: Callable[[], int]
    mark: Mark | None
    first_session: int
    complete_loads: Callable[[], set[str]]
    calibration: Calibration | None
    limits: Limits | None = None
    sent: int = 0
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    verify_tls: bool = True
    generator_health: list[Table] = field(default_factory=list)

    def poll(self, seconds: float) -> None:
        """Take in what the generator reports, waiting up to ``seconds`` for it.

        Raises GeneratorError if it has ended. If it says that the target needs protection, the
        stop token is set.
        """
        self.generator.poll(seconds)
        if self.generator.safety_reason:
            self.stop.stop(redact(self.generator.safety_reason, self.run_tag), for_safety=True)
        health = self.generator.health()
        if len(health):
            self.generator_health.append(health)
            self.save_health(health)

    def sample_monitors(self) -> None:
        """One reading of each monitor now, so that a window has a value at its edge."""
        for monitor in self.monitors.values():
            monitor.sample_now()

    def series(self, name: str) -> Table:
        """What a monitor saw in this session so far."""
        if name == "generator":
            return Table.concatenate(SERIES["generator"], self.generator_health)
        if name == "database":
            return self.database.rows() if self.database else Table(SERIES["database"])
        monitor = self.monitors.get(name)
        return monitor.rows() if monitor else Table(SERIES[name])
