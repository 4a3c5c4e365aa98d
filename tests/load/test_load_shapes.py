"""Shapes as sent by a real generator to a real server: exact counts, due times, tags."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from load_bench import Bench, Peer, RawServer, free_port, respond, rows

from qa_runner.load.plan import (
    Burst,
    ConstantArrivalRate,
    Outcome,
    Sequential,
    Staircase,
    VirtualUsers,
)

Serve = Callable[..., RawServer]
ALL_TIMES = ("due", "started", "resolved", "connected", "secured", "sent", "first_byte", "finished")


def silent(peer: Peer) -> None:
    peer.server.stopping.wait()


def test_row_has_all_its_times_in_order_on_the_session_clock(
    bench: Bench, answering: Serve
) -> None:
    before = bench.clock.now()
    row = bench.row(answering().url, samples_tag="x")
    after = bench.clock.now()
    times = [row[name] for name in ALL_TIMES]
    assert times == sorted(times)
    assert before <= times[0]
    assert times[-1] <= after
    assert (row["part"], row["role"], row["tag"], row["session"]) == ("1.1", "main", "x", 1)
    assert (row["iteration"], row["user"], row["reused"]) == (0, 0, 0)


def test_fields_are_rendered_for_each_request(bench: Bench, answering: Serve) -> None:
    server = answering()
    table = bench.run(
        server.url + "/p/{tag}/{i}",
        Sequential(requests=3),
        tag="r1-a2",
        request={
            "method": "POST",
            "body": '{"n":{i},"t":"{tag}","o":{"i":{}}}',
            "key": "u-{tag}-{i}@example.test",
        },
    )
    assert table.text("key") == [f"u-r1-a2-{n}@example.test" for n in (1, 2, 3)]
    for number, request in enumerate(server.requests, start=1):
        head, _, body = request.partition(b"\r\n\r\n")
        assert head.startswith(f"POST /p/r1-a2/{number} HTTP/1.1\r\n".encode())
        assert body == b'{"n":%d,"t":"r1-a2","o":{"i":{}}}' % number


def test_sequential_pauses_after_each_answer(bench: Bench, answering: Serve) -> None:
    table = bench.run(answering().url, Sequential(requests=4, pause_seconds=0.1))
    due, finished = table.number("due"), table.number("finished")
    assert len(table) == 4
    assert due[1:] - finished[:-1] == pytest.approx([0.1] * 3)
    assert (table.number("started") >= due).all()


def test_nothing_is_sent_before_it_is_due(bench: Bench, answering: Serve) -> None:
    # 3.4 ms: the loops' timers have whole milliseconds.
    table = bench.run(answering().url, Sequential(requests=40, pause_seconds=0.0034))
    assert (table.number("started") >= table.number("due")).all()
    table = bench.run(answering().url, ConstantArrivalRate(rate=294, duration_seconds=0.2))
    assert (table.number("started") >= table.number("due")).all()


def test_open_model_reuses_the_users_that_are_free(bench: Bench, answering: Serve) -> None:
    server = answering()
    shape = Burst(requests=5, repeat=4, every_seconds=0.3)
    table = bench.run(server.url, shape, connections="keep-alive")
    assert table.text("outcome") == ["success"] * 20
    assert set(table.number("user").tolist()) == set(range(5))
    assert server.connections == 5


def test_burst_is_concurrent(bench: Bench, serve: Serve) -> None:
    everybody = threading.Barrier(50)

    def script(peer: Peer) -> None:
        peer.request()
        everybody.wait(20)  # nobody is answered before all 50 are there
        peer.send(respond())

    table = bench.run(serve(script).url, Burst(requests=50), timeout_seconds=25)
    assert table.text("outcome") == ["success"] * 50
    assert len(set(table.number("due").tolist())) == 1
    assert sorted(table.number("iteration").tolist()) == list(range(50))
    assert sorted(table.number("user").tolist()) == list(range(50))


def test_bursts_repeat_and_stagger_by_the_clock(bench: Bench, answering: Serve) -> None:
    shape = Burst(requests=5, stagger_seconds=0.02, repeat=3, every_seconds=0.3)
    table = bench.run(answering().url, shape)
    offsets = np.sort(table.number("due")) - table.number("due").min()
    expected = [burst * 0.3 + index * 0.02 for burst in range(3) for index in range(5)]
    assert offsets == pytest.approx(expected)
    assert (table.number("started") >= table.number("due")).all()


@pytest.mark.parametrize("connections", ["new", "keep-alive"])
def test_connection_policy(bench: Bench, answering: Serve, connections: str) -> None:
    server = answering()
    table = bench.run(server.url, VirtualUsers(users=8, requests=200), connections=connections)
    assert table.text("outcome") == ["success"] * 200
    assert len(server.requests) == 200
    if connections == "new":
        assert server.connections == 200
        assert all(b"\r\nConnection: close\r\n" in request for request in server.requests)
    else:
        assert server.connections == 8
        assert not any(b"Connection:" in request for request in server.requests)
        assert table.number("reused").sum() == 192


@pytest.mark.parametrize(("users", "requests"), [(50, 200), (7, 100), (20, 5), (1, 1), (3, 0)])
def test_virtual_users_never_send_more_than_asked(
    bench: Bench, answering: Serve, users: int, requests: int
) -> None:
    server = answering()
    table = bench.run(server.url, VirtualUsers(users=users, requests=requests))
    assert len(table) == requests
    assert len(server.requests) == requests
    assert sorted(table.number("iteration").tolist()) == list(range(requests))
    assert set(table.number("user").tolist()) <= set(range(users))


def test_virtual_users_by_duration(bench: Bench, serve: Serve) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            peer.server.stopping.wait(0.1)
            peer.send(respond())

    table = bench.run(serve(script).url, VirtualUsers(users=3, duration_seconds=0.55))
    due = table.number("due")
    assert (due < due.min() + 0.55).all()
    assert set(table.text("outcome")) == {"success"}  # those in flight at the end are awaited
    assert table.number("finished").max() > due.min() + 0.55
    for user in range(3):
        own = [row for row in rows(table) if row["user"] == user]
        assert len(own) >= 3
        for before, after in pairwise(own):
            assert after["due"] == before["finished"]


def test_staircase_tags_samples_by_the_stair_in_which_they_were_due(
    bench: Bench, serve: Serve
) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            peer.server.stopping.wait(0.03)
            peer.send(respond())

    stairs = (1, 4, 2)
    handle = bench.submit(
        serve(script).url,
        Staircase(stairs=stairs, seconds_per_stair=0.5),
        connections="keep-alive",
    )
    bench.wait(handle)
    listed = rows(handle.take())
    start = min(row["due"] for row in listed)
    for row in listed:
        stair = int((row["due"] - start) / 0.5 + 1e-6)  # a float can be just short
        assert row["tag"] == f"users:{stairs[stair]}"
        assert row["user"] < stairs[stair]
    for stair, users in enumerate(stairs):
        seen = {row["user"] for row in listed if row["tag"] == f"users:{users}"}
        assert seen == set(range(users)), stair
    for user in range(4):  # nobody has two requests on the way
        own = [row for row in listed if row["user"] == user]
        assert all(before["finished"] <= after["due"] for before, after in pairwise(own))
    assert handle.progress.expected is None
    assert handle.progress.fraction == 1


def test_arrival_rate_does_not_wait_for_a_stalled_server(bench: Bench, serve: Serve) -> None:
    go = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        go.wait(20)
        peer.send(respond())

    server = serve(script)
    handle = bench.submit(
        server.url, ConstantArrivalRate(rate=40, duration_seconds=1, max_in_flight=100)
    )
    bench.until(lambda: len(server.requests) == 40)  # all are there, none is answered
    bench.until(lambda: handle.progress.in_flight == 40)
    go.set()
    bench.wait(handle)
    table = handle.take()
    assert table.text("outcome") == ["success"] * 40
    offsets = np.sort(table.number("due")) - table.number("due").min()
    assert offsets == pytest.approx([index / 40 for index in range(40)])
    # Response time counts from the due time, so the stall is in it.
    assert (table.number("finished") - table.number("due")).max() > 0.9


def test_what_cannot_start_is_dropped_and_counted(bench: Bench, serve: Serve) -> None:
    handle = bench.submit(
        serve(silent).url,
        ConstantArrivalRate(rate=100, duration_seconds=0.3, max_in_flight=5),
        timeout_seconds=1.5,
        request={"key": "k{i}"},
    )
    bench.wait(handle)
    table = handle.take()
    assert Counter(table.text("outcome")) == {"dropped": 25, "timeout": 5}
    dropped = [row for row in rows(table) if row["outcome"] == "dropped"]
    assert all(np.isnan(row["started"]) and np.isnan(row["finished"]) for row in dropped)
    assert all(row["due"] > 0 for row in dropped)
    assert sorted(table.text("key")) == sorted(f"k{n}" for n in range(1, 31))
    assert handle.progress.done == handle.progress.expected == 30


def test_two_loads_run_beside_each_other(bench: Bench, answering: Serve) -> None:
    server = answering()
    long = bench.submit(
        server.url + "/long", VirtualUsers(users=5, duration_seconds=1.5, think_time_seconds=0.01)
    )
    probe = bench.submit(server.url + "/probe", Burst(requests=1, repeat=5, every_seconds=0.15))
    bench.wait(long, probe)
    probes, others = probe.take(), long.take()
    assert len(probes) == 5
    assert others.number("due").min() < probes.number("due").min()
    assert probes.number("finished").max() < others.number("finished").max()
    assert set(probes.number("load").tolist()) == {probe.number}
    assert set(others.number("load").tolist()) == {long.number}


def test_samples_arrive_while_the_load_goes_on(bench: Bench, answering: Serve) -> None:
    handle = bench.submit(answering().url, Sequential(requests=10, pause_seconds=0.1))
    bench.until(lambda: handle.progress.done >= 2)
    early = handle.take()
    assert len(early) >= 2
    assert not handle.finished
    assert 0 < handle.progress.fraction < 1
    bench.wait(handle)
    assert len(early) + len(handle.take()) == 10
    assert handle.progress.fraction == 1


def test_stop_keeps_samples_and_records_what_was_in_flight(bench: Bench, serve: Serve) -> None:
    def script(peer: Peer) -> None:
        request = peer.request()
        if b"/1 " in request or b"/2 " in request:
            peer.send(respond())
        else:
            peer.server.stopping.wait()

    server = serve(script)
    handle = bench.submit(
        server.url + "/{i}", ConstantArrivalRate(rate=50, duration_seconds=30), timeout_seconds=30
    )
    bench.until(lambda: handle.progress.done >= 2 and handle.progress.in_flight >= 3)
    handle.stop()
    handle.stop()  # asked twice, as an impatient user does
    bench.wait(handle)
    table = handle.take()
    assert handle.stop_reason == "stopped"
    outcomes = Counter(table.text("outcome"))
    assert outcomes["success"] == 2
    assert outcomes["cancelled"] >= 3
    assert sum(outcomes.values()) == len(table) < 100
    assert sorted(table.number("iteration").tolist()) == list(range(len(table)))
    cancelled = [row for row in rows(table) if row["outcome"] == "cancelled"]
    assert all(row["finished"] > row["started"] for row in cancelled)


def test_stop_while_users_think_ends_at_once(bench: Bench, answering: Serve) -> None:
    handle = bench.submit(answering().url, Sequential(requests=3, pause_seconds=600))
    bench.until(lambda: handle.progress.done == 1)
    handle.stop()
    bench.wait(handle)
    assert handle.stop_reason == "stopped"
    assert handle.take().text("outcome") == ["success"]


def test_users_that_think_while_others_send_the_last_request(
    bench: Bench, answering: Serve
) -> None:
    shape = VirtualUsers(users=5, requests=7, think_time_seconds=0.05)
    assert len(bench.run(answering().url, shape)) == 7


def test_a_server_that_refuses_is_not_stormed(bench: Bench) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    counted = bench.run(url, VirtualUsers(users=5, requests=12))
    assert counted.text("outcome") == [str(Outcome.CONNECTION_ERROR)] * 12
    timed = bench.run(url, VirtualUsers(users=5, duration_seconds=0.5))
    # Each of the five tries at once and then every 0.1 s, at most.
    assert 5 <= len(timed) <= 30


def test_users_with_both_a_number_and_a_duration_end_at_whichever_comes_first(
    bench: Bench, serve: Serve
) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            time.sleep(0.05)
            peer.send(respond())

    shape = VirtualUsers(users=3, requests=15, duration_seconds=20.0)
    assert len(bench.run(serve(script).url, shape, connections="keep-alive")) == 15
