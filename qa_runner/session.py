"""A session: everything that lives while one process measures, and its orderly end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from qa_runner.calibration import Calibration
from qa_runner.calibration_cache import calibrated
from qa_runner.clock import Clock
from qa_runner.configure import ConfiguredCase
from qa_runner.errors import CalibrationError, ProbeError
from qa_runner.instruments import Instruments
from qa_runner.load.calibrate import CALIBRATION_SECONDS
from qa_runner.load.limits import Limits
from qa_runner.load.process import GeneratorProcess, LoadHandle
from qa_runner.monitors.database import PROBE_START_SECONDS, DatabaseProbe
from qa_runner.monitors.database_result import Mark
from qa_runner.monitors.log import LogMonitor
from qa_runner.monitors.monitor import Monitor, Sink
from qa_runner.monitors.port_owner import is_here
from qa_runner.monitors.process import ServerMonitor
from qa_runner.monitors.project import DjangoProject
from qa_runner.monitors.system import SystemMonitor
from qa_runner.result import Fact
from qa_runner.stop import StopToken
from qa_runner.table import SAMPLES, Table
from qa_runner.targets.target import Target

__all__ = ["Session"]

NO_PROJECT = (
    "the target's database is not known: give its Django project in qa-runner.toml, "
    "[targets.NAME.project] with folder and settings"
)


class Session:
    """Starts generator and monitors; ends them, in reverse order, when left.

    ``number`` counts the sessions of a run from 1; ``limits`` are those of the target's
    environment, None for the embedded target. ``probe_start_seconds`` is the time that the project
    has to be opened by the database probe.
    """

    def __init__(
        self,
        case: ConfiguredCase,
        *,
        number: int,
        run_tag: str,
        stop: StopToken,
        clock: Clock,
        limits: Limits | None = None,
        probe_start_seconds: float = PROBE_START_SECONDS,
    ) -> None:
        self.case = case
        self.number = number
        self.run_tag = run_tag
        self.stop = stop
        self.clock = clock
        self.limits = limits
        self.generator = GeneratorProcess(clock, session=number)
        self.calibration: Calibration | None = None
        self.monitors: dict[str, Monitor] = {}
        self.database: DatabaseProbe | None = None
        self.database_reason = NO_PROJECT
        self.probe: DatabaseProbe | None = None
        self._probe_start_seconds = probe_start_seconds
        self._loads = 0

    def __enter__(self) -> Self:
        self.generator.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.generator.close()

    def revive(self) -> None:
        """Start the generator again after it has ended."""
        self.generator.close()
        self.generator = GeneratorProcess(self.clock, session=self.number)
        self.generator.start()

    def calibrate(self, tell: Callable[[str], None]) -> str:
        """Find out what the generator itself adds and can send, before it sends anything else.

        ``tell`` hears that it takes a moment. What the reader should know, in one sentence, or
        nothing; a generator that cannot be measured still sends.
        """
        try:
            self.calibration = calibrated(
                self.generator,
                self.stop,
                lambda: tell(f"calibrating the load generator, about {CALIBRATION_SECONDS:g} s"),
            )
        except CalibrationError as error:
            return f"The load generator was not calibrated: {error}."
        return self.calibration.problem

    @contextmanager
    def watching(self, target: Target, sink: Sink) -> Iterator[None]:
        """Monitors run while inside; to be left before the target is ended, which is no restart.

        What cannot be measured has its reason; nothing is raised.
        """
        with ExitStack() as monitors:
            self._watch(monitors, target, sink)
            yield

    def _watch(self, stack: ExitStack, target: Target, sink: Sink) -> None:
        project = target.project
        if project is None and "://" not in target.name:
            self.database_reason = NO_PROJECT.replace("NAME", target.name)
        database = None if project is None else self._start_database(stack, project, sink)
        monitors: list[Monitor] = [
            ServerMonitor(
                target.port,
                address=target.host,
                rule=target.process,
                ignore=(self.generator.pid,),
                database=database,
                ended=target.ended,
            ),
            SystemMonitor(),
        ]
        if target.log_path is not None:
            monitors.append(LogMonitor(target.log_path, tag=self.run_tag))
        for monitor in monitors:
            self.monitors[monitor.name] = monitor
            stack.callback(monitor.stop)
            monitor.start(self.clock, self.number, sink)
        if not is_here(target.host):
            self.monitors["system"].note(
                "The machine that was measured is the one that qa-runner runs on; "
                f"the server runs on another ({target.host})."
            )

    def _start_database(self, stack: ExitStack, project: DjangoProject, sink: Sink) -> Path | None:
        """Start the probe; the file of an SQLite database, whose open descriptors tell the
        server's connections.
        """
        case = self.case.definition.case
        probe = DatabaseProbe(
            project,
            {**case.models, **project.models},
            project.intent_field or case.intent_field,
            start_limit_seconds=self._probe_start_seconds,
        )
        stack.callback(probe.stop)
        self.probe = probe
        try:
            probe.start(self.clock, self.number, sink)
            info = probe.info()
        except ProbeError as error:
            self.database_reason = str(error)
            return None
        self.database = probe
        self.monitors[probe.name] = probe
        return Path(info.name) if info.vendor == "sqlite" else None

    def give_up_database(self, error: ProbeError) -> None:
        """Go on without the database; the reason stands at the criteria that need it."""
        self.database = None
        self.database_reason = str(error)
        self.monitors.pop("database", None)

    def instruments(
        self,
        target: Target,
        *,
        facts: list[Fact],
        save_samples: Callable[[Table], None],
        save_health: Callable[[Table], None],
        read_all_samples: Callable[[], Table],
        progress: Callable[[LoadHandle], None],
        mark: Mark | None = None,
        first_session: int = 1,
        complete_loads: Callable[[], set[str]] = set,
    ) -> Instruments:
        """What steps get to work with."""
        return Instruments(
            clock=self.clock,
            session=self.number,
            url=target.url,
            run_tag=self.run_tag,
            generator=self.generator,
            monitors=self.monitors,
            database=self.database,
            database_reason=self.database_reason,
            stop=self.stop,
            parameters=self.case.parameters,
            metrics=self.case.definition.metrics,
            facts=facts,
            save_samples=save_samples,
            save_health=save_health,
            read_all_samples=read_all_samples,
            progress=progress,
            next_load=self._next_load,
            mark=mark,
            first_session=first_session,
            complete_loads=complete_loads,
            calibration=self.calibration,
            limits=self.limits,
            headers=target.headers,
            verify_tls=target.verify_tls,
        )

    def bare_instruments(self, target: Target, save: Callable[[Table], None]) -> Instruments:
        """Enough to send a request before there is a run folder."""
        return self.instruments(
            target,
            facts=[],
            save_samples=save,
            save_health=lambda _rows: None,
            read_all_samples=lambda: Table(SAMPLES),
            progress=lambda _handle: None,
        )

    def _next_load(self) -> int:
        self._loads += 1
        return self._loads
