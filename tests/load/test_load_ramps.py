"""Ramps, spikes, limits and counts per user, sent by a real generator to a real server."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from load_bench import Bench, Peer, RawServer, respond

from qa_runner.load.plan import (
    Burst,
    RampingArrivalRate,
    RampingVirtualUsers,
    Spike,
    VirtualUsers,
)
from qa_runner.load.schedule import due_offsets
from qa_runner.load.validation import validate

Serve = Callable[..., RawServer]


@pytest.mark.parametrize("connections", ["new", "keep-alive"])
def test_each_user_sends_its_own_count(bench: Bench, answering: Serve, connections: str) -> None:
    shape = VirtualUsers(users=4, requests_per_user=6)
    table = bench.run(answering().url, shape, connections=connections)
    assert Counter(table.number("user").tolist()) == dict.fromkeys(range(4), 6)


def test_a_slow_user_keeps_its_share(bench: Bench, serve: Serve) -> None:
    quick = threading.Event()
    seen: list[int] = []

    def script(peer: Peer) -> None:
        while peer.request():
            seen.append(peer.number)
            if peer.number == 1:
                quick.wait(20)  # until the other user has sent all of its requests
            if sum(number != 1 for number in seen) == 5:
                quick.set()
            peer.send(respond())

    shape = VirtualUsers(users=2, requests_per_user=5)
    table = bench.run(serve(script).url, shape, connections="keep-alive", timeout_seconds=25)
    assert Counter(table.number("user").tolist()) == {0: 5, 1: 5}


def test_users_enter_over_the_ramp_up(bench: Bench, answering: Serve) -> None:
    shape = VirtualUsers(users=5, requests_per_user=1, ramp_up_seconds=0.5)
    table = bench.run(answering().url, shape)
    offsets = np.sort(table.number("due") - table.number("due").min())
    assert offsets == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert (table.number("started") >= table.number("due")).all()


def test_load_ends_when_the_shared_requests_are_done_whoever_is_yet_to_enter(
    bench: Bench, answering: Serve
) -> None:
    # The bench gives up long before the second user would enter.
    shape = VirtualUsers(users=100, requests=7, ramp_up_seconds=60_000)
    assert len(bench.run(answering().url, shape)) == 7
    timed = VirtualUsers(users=100, duration_seconds=0.2, ramp_up_seconds=60_000)
    assert set(bench.run(answering().url, timed).number("user").tolist()) == {0}


def test_users_enter_and_leave_along_the_ramp(bench: Bench, answering: Serve) -> None:
    shape = RampingVirtualUsers(
        stages=((6, 0.6), (6, 0.3), (0, 0.6)), think_time_seconds=(0.005, 0.015)
    )
    table = bench.run(answering().url, shape, connections="keep-alive")
    due, user = table.number("due"), table.number("user")
    first = {number: due[user == number].min() for number in range(6)}
    last = {number: due[user == number].max() for number in range(6)}
    start = first[0] - 0.05
    assert [first[number] - start for number in range(6)] == pytest.approx(
        [0.05, 0.15, 0.25, 0.35, 0.45, 0.55]
    )
    leaves = [start + 0.9 + 0.1 * (6 - number) - 0.05 for number in range(6)]
    assert all(last[number] < leaves[number] for number in range(6))
    assert set(table.text("outcome")) == {"success"}


def test_a_ramp_to_nobody_ends_though_nobody_is_there(bench: Bench, answering: Serve) -> None:
    shape = RampingVirtualUsers(stages=((1, 0.1), (0, 0.0), (0, 0.1), (1, 0.0), (0, 0.0)))
    bench.run(answering().url, shape)


def test_a_user_that_leaves_gets_its_answer(bench: Bench, serve: Serve) -> None:
    gone = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        gone.wait(20)  # until after the jump down
        peer.send(respond())

    shape = RampingVirtualUsers(start_users=4, stages=((4, 0.2), (0, 0.0), (0, 0.1)))
    handle = bench.submit(serve(script).url, shape, timeout_seconds=25)
    bench.until(lambda: handle.progress.in_flight == 4)
    threading.Timer(0.5, gone.set).start()
    bench.wait(handle)
    assert handle.take().text("outcome") == ["success"] * 4


def test_a_user_that_leaves_takes_its_connection_with_it(bench: Bench, serve: Serve) -> None:
    closed: list[int] = []

    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(respond())
        closed.append(peer.number)

    shape = RampingVirtualUsers(
        start_users=4, stages=((4, 0.2), (1, 0.0), (1, 30)), think_time_seconds=0.05
    )
    handle = bench.submit(serve(script).url, shape, connections="keep-alive")
    bench.until(lambda: len(closed) == 3)
    assert not handle.finished
    handle.stop()
    bench.wait(handle)


def test_more_users_than_any_machine_has_connections_for_are_refused() -> None:
    with pytest.raises(ValueError, match="2,000,000 users are too many"):
        validate(VirtualUsers(users=2_000_000, duration_seconds=1))


def test_samples_of_a_spike_carry_their_phase(bench: Bench, answering: Serve) -> None:
    shape = Spike(
        base_users=1,
        peak_users=10,
        before_seconds=0.3,
        peak_seconds=0.3,
        after_seconds=0.3,
        think_time_seconds=0.02,
    )
    table = bench.run(answering().url, shape, connections="keep-alive")
    due, tags = table.number("due"), np.array(table.text("tag"))
    start = due.min()
    phases = {
        "phase:before": (0, 0.3, 1),
        "phase:spike": (0.3, 0.6, 10),
        "phase:after": (0.6, 0.9, 1),
    }
    assert set(tags.tolist()) == set(phases)
    for tag, (begin, end, users) in phases.items():
        offsets = due[tags == tag] - start
        assert ((offsets >= begin - 1e-6) & (offsets < end + 1e-6)).all()
        assert set(table.number("user")[tags == tag].tolist()) == set(range(users))


def test_ramping_arrivals_are_due_by_the_schedule(bench: Bench, answering: Serve) -> None:
    shape = RampingArrivalRate(start_rate=20, stages=((100, 0.5), (0, 0.5)), max_in_flight=500)
    table = bench.run(answering().url, shape)
    expected = list(due_offsets(shape))
    assert len(table) == len(expected) == 55
    due = np.sort(table.number("due"))
    assert due - due[0] == pytest.approx(expected, abs=1e-9)
    assert (table.number("started") >= table.number("due")).all()


@pytest.mark.parametrize(
    "shape",
    [
        Burst(requests=10, max_in_flight=4),
        RampingArrivalRate(start_rate=100, stages=((100, 0.1),), max_in_flight=4),
    ],
)
def test_what_exceeds_the_limit_in_flight_is_dropped(
    bench: Bench, serve: Serve, shape: Burst | RampingArrivalRate
) -> None:
    all_due = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        all_due.wait(20)
        peer.send(respond())

    server = serve(script)
    handle = bench.submit(server.url, shape, timeout_seconds=25)
    bench.until(lambda: handle.progress.done == 6)
    all_due.set()
    bench.wait(handle)
    table = handle.take()
    assert Counter(table.text("outcome")) == {"success": 4, "dropped": 6}
    assert sorted(table.number("iteration").tolist()) == list(range(10))
    assert len(server.requests) == 4


def test_think_times_of_a_range_are_repeated_with_the_load(answering: Serve) -> None:
    server = answering()
    shape = VirtualUsers(users=3, requests_per_user=5, think_time_seconds=(0.01, 0.05))

    def pauses() -> dict[int, list[float]]:
        bench = Bench()  # load number 1 again
        try:
            table = bench.run(server.url, shape)
        finally:
            bench.process.close()
        found = {}
        for user in range(3):
            rows = table.number("user") == user
            order = np.argsort(table.number("due")[rows])
            due, finished = table.number("due")[rows][order], table.number("finished")[rows][order]
            found[user] = (due[1:] - finished[:-1]).tolist()
        return found

    first, second = pauses(), pauses()
    everyone = [pause for user in first.values() for pause in user]
    assert all(0.01 - 1e-9 <= pause <= 0.05 + 1e-9 for pause in everyone)
    assert len({round(pause, 6) for pause in everyone}) == 12
    for user in range(3):
        assert first[user] == pytest.approx(second[user], abs=1e-6)
