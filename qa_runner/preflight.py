"""One real request before any load: is this the API under test?"""

from __future__ import annotations

from collections.abc import Callable

from qa_runner.context import StepContext
from qa_runner.errors import TargetError
from qa_runner.load.plan import Outcome
from qa_runner.part_record import PartRecord
from qa_runner.session import Session
from qa_runner.table import Table
from qa_runner.targets.target import Target

__all__ = ["judge_preflight", "preflight"]

_NOT_FOUND = (404, 405)


def preflight(session: Session, target: Target, save: Callable[[Table], None]) -> bool:
    """Send the case's own request once; whether the answer had a Server-Timing header.

    Raises TargetError, saying what came instead, if the answer is not that of the API under
    test. A server error in JSON is an answer: finding that is what the run is for.
    """
    record = PartRecord(id="preflight", step=0, attempt=1, start=session.clock.now())
    context = StepContext(session.bare_instruments(target, save), record)
    request = session.case.definition.case().preflight(context)
    if request is None:
        return False
    sent = context.request(request, role="preflight")
    judge_preflight(sent.samples, f"{request.method} {target.url}{request.url}")
    return "server-timing" in sent.samples.text("extracted")[0]


def judge_preflight(samples: Table, what: str) -> None:
    """Raise TargetError with what is wrong and what to do, unless the one sample will do."""
    outcome = Outcome(samples.text("outcome")[0])
    error = samples.text("error")[0]
    status = int(samples.number("status")[0])
    json_object = samples.number("json_object")[0] == 1
    if outcome is Outcome.SUCCESS:
        return
    if outcome is Outcome.TIMEOUT:
        raise TargetError(f"{what} got no answer ({error}); is the server overloaded or hung?")
    if outcome is Outcome.CONNECTION_ERROR:
        raise TargetError(f"{what} failed: {error}; is the server running?")
    if outcome is Outcome.OTHER:
        raise TargetError(
            f"{what} was not answered by the API: {error}; give the address that it runs at"
        )
    if status in _NOT_FOUND:
        raise TargetError(
            f"{what} answers {status}; set the path with --set case.path=/the/right/path/"
        )
    if outcome is Outcome.THROTTLED:
        raise TargetError(f"{what} answers 429: a rate limit would spoil every measurement")
    if not json_object:
        raise TargetError(
            f"{what} answers {status} with something other than a JSON object; "
            "is this the API under test?"
        )
    if outcome is Outcome.INVALID:
        raise TargetError(f"{what} answers {status}, but {error}; is this the API under test?")
    if outcome is Outcome.CLIENT_ERROR:
        raise TargetError(f"{what} is rejected: {error}; the request does not suit this target")
