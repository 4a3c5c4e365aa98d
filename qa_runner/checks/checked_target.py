"""A target while it is checked: what the checks look at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from qa_runner.configure import ConfiguredCase
from qa_runner.context import StepContext
from qa_runner.errors import ProbeError
from qa_runner.load.plan import Outcome, RequestTemplate, Sequential
from qa_runner.monitors.database_result import EndpointFacts
from qa_runner.monitors.process import ServerMonitor
from qa_runner.monitors.process_facts import ProcessFacts
from qa_runner.part_record import PartRecord
from qa_runner.session import Session
from qa_runner.stop import StopToken
from qa_runner.table import Table
from qa_runner.targets.target import Target

__all__ = ["Answer", "CheckedTarget"]

_HEADER = "header:"
_REQUEST_SECONDS = 8.0  # so that all checks of a server that hangs are made within ten
_HEADERS = (
    "allow",
    "content-type",
    "date",
    "location",
    "ratelimit",
    "ratelimit-limit",
    "ratelimit-policy",
    "ratelimit-remaining",
    "retry-after",
    "server",
    "x-rate-limit-limit",
    "x-rate-limit-remaining",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back on the one real request.

    ``what`` is the request in words; ``headers`` are by lower-case name. ``received`` is when, in
    seconds since the epoch by this machine's clock, ``seconds`` how long it took; ``excerpt`` is
    the beginning of a body that is not as it should be.
    """

    what: str
    path: str
    outcome: Outcome
    status: int
    error: str
    json_object: bool
    headers: Mapping[str, str]
    received: float
    seconds: float
    excerpt: str
    samples: Table

    @property
    def succeeded(self) -> bool:
        """Whether it was answered as the test case wants."""
        return self.outcome is Outcome.SUCCESS


@dataclass(slots=True)
class CheckedTarget:
    """A target, with a session whose generator and monitors run.

    ``save`` takes the sample of the one request that is sent, which has ``request_seconds``;
    ``failed`` is set once a check has failed, after which nothing is sent any more. Where
    ``load_follows``, a run is about to load the target.
    """

    target: Target
    session: Session
    save: Callable[[Table], None]
    request_seconds: float = _REQUEST_SECONDS
    load_follows: bool = False
    failed: bool = False
    answer: Answer | None = None
    _tag: str = field(default="", init=False)
    _processes: tuple[ProcessFacts, ...] | None = field(default=None, init=False)

    @property
    def case(self) -> ConfiguredCase:
        """The test case that is to be run."""
        return self.session.case

    @property
    def configured_name(self) -> str:
        """The target's name in qa-runner.toml; NAME for one that is not in it."""
        return "NAME" if "://" in self.target.name else self.target.name

    @property
    def tag(self) -> str:
        """In the e-mail address of the one request; empty before it was sent."""
        return self._tag

    @property
    def server(self) -> ServerMonitor:
        """The monitor of the server's processes."""
        monitor = self.session.monitors["server"]
        assert isinstance(monitor, ServerMonitor)  # noqa: S101 (a session starts it as such)
        return monitor

    def processes(self) -> tuple[ProcessFacts, ...]:
        """The server's processes, looked for once."""
        if self._processes is None:
            found = self.server.snapshot()
            self._processes = tuple(each for each in found if each.role == "server")
        return self._processes

    def endpoint(self) -> EndpointFacts | None:
        """What the project's URLs say about the path that was asked for; None if nobody knows."""
        if self.session.probe is None or self.answer is None:
            return None
        path = urlsplit(self.answer.what.partition(" ")[2]).path
        try:
            return self.session.probe.endpoint(path)
        except ProbeError:
            return None

    def send(self) -> Answer | None:
        """Send the case's own request once; None if the case has none.

        Raises GeneratorError, StopRequested.
        """
        step = self._step()
        request = self.case.definition.case().preflight(step)
        if request is None:
            return None
        samples = self._sent(step, request, Sequential(requests=1))
        began = self.session.clock.wall_start.timestamp()
        self._tag = step.tag
        self.answer = _answer(samples, request, self.target.url, began)
        return self.answer

    def send_more(self, requests: int, pause_seconds: float) -> Table:
        """Send the case's own request as often again, one after the other; their samples.

        They end early at a rate limit that asks to stay away. Raises GeneratorError,
        StopRequested.
        """
        step = self._step()
        request = self.case.definition.case().preflight(step)
        assert request is not None  # noqa: S101 (it was sent before)
        return self._sent(step, request, Sequential(requests=requests, pause_seconds=pause_seconds))

    def _step(self) -> StepContext:
        record = PartRecord(id="preflight", step=0, attempt=1, start=self.session.clock.now())
        instruments = self.session.bare_instruments(self.target, self.save)
        instruments.stop = _UserStop(self.session.stop)
        return StepContext(instruments, record)

    def _sent(self, step: StepContext, request: RequestTemplate, shape: Sequential) -> Table:
        asked = msgspec.structs.replace(request, keep_headers=_HEADERS)
        return step.load(shape, asked, role="preflight", timeout=self.request_seconds).samples


class _UserStop(StopToken):
    """Heeds the user alone: what a 429 means for the target is said by its check."""

    def __init__(self, token: StopToken) -> None:
        super().__init__()
        self.event = token.event
        self._token = token

    def stop(self, reason: str, *, for_safety: bool = False) -> None:
        if not for_safety:
            self._token.stop(reason)

    def check(self) -> None:
        self._token.check()


def _answer(samples: Table, request: RequestTemplate, url: str, began: float) -> Answer:
    extracted = samples.text("extracted")[0]
    values = json.loads(extracted) if extracted else {}
    address = request.url if "://" in request.url else url + request.url
    return Answer(
        what=f"{request.method} {address}",
        path=request.url,
        outcome=Outcome(samples.text("outcome")[0]),
        status=int(samples.number("status")[0]),
        error=samples.text("error")[0],
        json_object=samples.number("json_object")[0] == 1,
        headers={
            name.removeprefix(_HEADER): str(value)
            for name, value in values.items()
            if name.startswith(_HEADER)
        },
        received=began + float(samples.number("finished")[0]),
        seconds=float(samples.number("finished")[0] - samples.number("started")[0]),
        excerpt=samples.text("excerpt")[0],
        samples=samples,
    )
