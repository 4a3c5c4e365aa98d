"""Load that is stopped where it is sent: real requests to a real server."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from answering_site import Answer, AnsweringSite, Seen

from qa_runner.clock import Clock
from qa_runner.configuration.schema import ErrorBudget
from qa_runner.load.limits import Limits
from qa_runner.load.plan import (
    Burst,
    ConstantArrivalRate,
    LoadPlan,
    RequestTemplate,
    Shape,
    VirtualUsers,
)
from qa_runner.load.process import GeneratorProcess, LoadHandle
from qa_runner.table import Table

Start = Callable[..., AnsweringSite]
_numbers = itertools.count(1)
PAST = "Sun, 06 Nov 1994 08:49:37 GMT"


def submit(
    process: GeneratorProcess, url: str, shape: Shape, limits: Limits | None, **options: object
) -> LoadHandle:
    plan = LoadPlan(
        number=next(_numbers),
        shape=shape,
        request=RequestTemplate(method="GET", url=f"{url}/"),
        tag="t1",
        limits=limits,
        **options,  # type: ignore[arg-type]
    )
    return process.submit(plan, part="1.1", role="main")


def finish(process: GeneratorProcess, *handles: LoadHandle) -> Table:
    deadline = time.monotonic() + 40
    while not all(handle.finished for handle in handles):
        assert time.monotonic() < deadline
        process.poll(0.1)
    return handles[0].take()


def limits(**settings: object) -> Limits:
    return Limits(**{"environment": f"e{next(_numbers)}", **settings})  # type: ignore[arg-type]


def test_no_more_requests_are_sent_than_a_session_may(site: Start) -> None:
    server, own = site(), limits(most_requests=25)
    with closing(GeneratorProcess(Clock())) as process:
        process.start()
        finish(process, submit(process, server.url, VirtualUsers(users=2, requests=20), own))
        assert process.safety_reason == ""
        # The same limits, another load: what has been sent counts.
        handle = submit(process, server.url, VirtualUsers(users=4, requests=500), own)
        rows = finish(process, handle)
        assert (len(rows), len(server.seen)) == (5, 25)
        assert handle.stop_reason == "stopped"
        assert "25 requests were sent, the most that the environment" in process.safety_reason
        rows = finish(process, submit(process, server.url, Burst(requests=3), own))
        assert (len(rows), len(server.seen)) == (0, 25)


@pytest.mark.parametrize(
    "shape",
    [
        VirtualUsers(users=3, duration_seconds=30),
        ConstantArrivalRate(rate=50, duration_seconds=30),
        Burst(requests=40, repeat=20, every_seconds=1),
    ],
)
def test_an_error_budget_ends_a_load_of_any_shape(site: Start, shape: Shape) -> None:
    def answer(_seen: Seen, number: int) -> Answer:
        return Answer(503, b'{"error": "out of order"}') if number > 15 else Answer()

    server = site(answer)
    own = limits(error_budget=ErrorBudget(rate=0.1, seconds=20.0, requests=20))
    with closing(GeneratorProcess(Clock())) as process:
        process.start()
        rows = finish(process, submit(process, server.url, shape, own))
        assert process.safety_reason == (
            "25 % of the requests that ended within 20 s failed (5 of 20; 10 % are allowed), most "
            "often with: HTTP 503: out of order; it is the error budget of the environment "
            f"{own.environment}"
        )
    assert 20 <= len(rows) <= 40  # those that were in flight, too
    assert len(server.seen) <= 40


def test_all_loads_under_way_end_together(site: Start) -> None:
    def answer(_seen: Seen, number: int) -> Answer:
        return Answer(500) if number > 5 else Answer()

    server = site(answer)
    own = limits(error_budget=ErrorBudget(rate=0.5, seconds=10.0, requests=10))
    with closing(GeneratorProcess(Clock())) as process:
        process.start()
        one = submit(process, server.url, ConstantArrivalRate(rate=20, duration_seconds=60), own)
        other = submit(process, server.url, ConstantArrivalRate(rate=1, duration_seconds=60), own)
        apart = submit(process, server.url, VirtualUsers(users=1, requests=3), limits())
        finish(process, one, other, apart)
        assert (one.stop_reason, other.stop_reason) == ("stopped", "stopped")
        assert apart.stop_reason == ""


def test_a_closed_load_that_is_faster_than_allowed_ends(
    site: Start, generator: GeneratorProcess
) -> None:
    server, own = site(), limits(most_rate=3.0)
    rows = finish(
        generator, submit(generator, server.url, VirtualUsers(users=3, duration_seconds=60), own)
    )
    # Over 10 s, and a tenth more for what comes together after a pause.
    assert len(rows) == 33


def test_requests_in_flight_are_bounded_whatever_the_shape_says(
    site: Start, generator: GeneratorProcess
) -> None:
    server = site(lambda *_: Answer(before=lambda: time.sleep(0.5)))
    rows = finish(generator, submit(generator, server.url, Burst(requests=9), limits(most_users=4)))
    assert rows.counts("outcome") == {"success": 4, "dropped": 5}
    assert len(server.seen) == 4


@pytest.mark.parametrize(("wait", "answers"), [("3600", 4), ("5", 12), ("", 12), (PAST, 12)])
def test_a_rate_limit_that_says_to_stay_away_for_long_ends_a_load(
    site: Start, wait: str, answers: int
) -> None:
    def answer(_seen: Seen, number: int) -> Answer:
        headers = {"Retry-After": wait} if wait else {}
        return Answer(429, b"{}", headers) if number >= 4 else Answer()

    server = site(answer)
    with closing(GeneratorProcess(Clock())) as process:
        process.start()
        finish(process, submit(process, server.url, VirtualUsers(users=1, requests=12), limits()))
        assert len(server.seen) == answers
        if answers == 4:
            assert "3,600 s (Retry-After) after 4 requests" in process.safety_reason
        else:
            assert process.safety_reason == ""


def test_a_rate_limit_that_names_a_day_to_come_back_ends_a_load(
    site: Start,
) -> None:
    tomorrow = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
    limited = Answer(429, b"{}", {"Retry-After": tomorrow})
    server = site(lambda _seen, number: limited if number >= 4 else Answer())
    with closing(GeneratorProcess(Clock())) as process:
        process.start()
        finish(process, submit(process, server.url, VirtualUsers(users=1, requests=12), limits()))
        assert len(server.seen) == 4
        assert "a rate limit answers, and asks to stay away for 86," in process.safety_reason


def refused_from(first: int, *, but: int = 0) -> Callable[..., Answer]:
    """Answer 429 from then on, with no word of when to come back; and the request ``but`` well."""
    return lambda _seen, number: (
        Answer(429, b'{"error": "slow down"}') if number >= first and number != but else Answer()
    )


def test_a_rate_limit_that_answers_nothing_else_ends_a_load(site: Start) -> None:
    server = site(refused_from(6))
    with closing(GeneratorProcess(Clock())) as process:
        process.start()
        finish(process, submit(process, server.url, VirtualUsers(users=1, requests=80), limits()))
        assert len(server.seen) == 30
        assert process.safety_reason == (
            "a rate limit answers: 429 for 25 times in a row, after 30 requests of this session: "
            "HTTP 429: slow down"
        )


def test_a_rate_limit_that_lets_some_through_is_measured(site: Start) -> None:
    server = site(refused_from(6, but=30))
    with closing(GeneratorProcess(Clock())) as process:
        process.start()
        finish(process, submit(process, server.url, VirtualUsers(users=1, requests=54), limits()))
        assert (len(server.seen), process.safety_reason) == (54, "")
        # The target of a load without a guard is the embedded one, whose faults are the point.
        finish(process, submit(process, server.url, VirtualUsers(users=1, requests=40), None))
        assert (len(server.seen), process.safety_reason) == (94, "")


def test_the_first_request_of_all_may_find_out_about_a_rate_limit(
    site: Start, generator: GeneratorProcess
) -> None:
    server = site(lambda *_: Answer(429, b"{}", {"Retry-After": "3600"}))
    rows = finish(generator, submit(generator, server.url, Burst(requests=1), limits()))
    assert rows.text("outcome") == ["throttled"]
    assert "asks to stay away" not in generator.safety_reason


def test_only_approved_addresses_are_connected_to(site: Start, generator: GeneratorProcess) -> None:
    server = site()
    url = f"http://localhost:{server.port}"
    here = finish(
        generator,
        submit(generator, url, Burst(requests=2), limits(addresses=("127.0.0.1",))),
    )
    assert here.text("outcome") == ["success"] * 2
    # The name leads to 127.0.0.1, but what was approved is another address, where nobody listens.
    sent_before = len(server.seen)
    elsewhere = finish(
        generator,
        submit(generator, url, Burst(requests=2), limits(addresses=("127.0.0.2",))),
    )
    assert elsewhere.text("outcome") == ["connection error"] * 2
    assert len(server.seen) == sent_before


def test_an_address_that_was_not_approved_is_no_target(
    site: Start, generator: GeneratorProcess
) -> None:
    server = site()
    rows = finish(
        generator,
        submit(generator, server.url, Burst(requests=1), limits(addresses=("127.0.0.2",))),
    )
    assert rows.text("outcome") == ["connection error"]
    assert len(server.seen) == 0
