"""Which sockets can be read: with an epoll of our own, and with the loop's means."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from collections.abc import Iterator
from time import monotonic

import pytest

from qa_runner.load import readiness
from qa_runner.load.event_loop import new_event_loop
from qa_runner.load.readiness import Readiness, watch_readiness


def nothing() -> None:
    pass


ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="epoll is Linux's")


@pytest.fixture(params=["uvloop or asyncio", "asyncio"])
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop() if request.param == "asyncio" else new_event_loop()
    yield loop
    loop.close()


@pytest.fixture(params=[pytest.param("epoll", marks=ON_LINUX), "loop"])
def watching(
    request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop
) -> Iterator[Readiness]:
    watching = (
        watch_readiness(loop, nothing) if request.param == "epoll" else readiness._OfTheLoop(loop)
    )
    yield watching
    watching.close()


def turn(loop: asyncio.AbstractEventLoop, seconds: float = 0.02) -> None:
    loop.run_until_complete(asyncio.sleep(seconds))


def until(loop: asyncio.AbstractEventLoop, heard: list[str], expected: list[str]) -> None:
    deadline = monotonic() + 10
    while sorted(heard) != sorted(expected) and monotonic() < deadline:
        turn(loop)
    assert sorted(heard) == sorted(expected)


def test_bytes_end_and_reset_are_told(loop: asyncio.AbstractEventLoop, watching: Readiness) -> None:
    heard: list[str] = []
    pairs = [socket.socketpair() for _ in range(3)]
    for name, (mine, _) in zip(("bytes", "end", "both"), pairs, strict=True):

        def ready(name: str = name, mine: socket.socket = mine) -> None:
            heard.append(f"{name} {mine.recv(10).decode()}")
            watching.remove(mine.fileno())
            mine.close()

        watching.add(mine.fileno(), ready)
    turn(loop)
    assert heard == []
    pairs[0][1].send(b"x")
    pairs[1][1].close()
    pairs[2][1].send(b"y")
    pairs[2][1].close()
    until(loop, heard, ["bytes x", "end ", "both y"])
    pairs[0][1].close()


def test_what_is_not_read_is_told_again(
    loop: asyncio.AbstractEventLoop, watching: Readiness
) -> None:
    heard: list[str] = []
    mine, other = socket.socketpair()

    def ready() -> None:
        heard.append(mine.recv(1).decode())

    watching.add(mine.fileno(), ready)
    other.send(b"abc")
    until(loop, heard, ["a", "b", "c"])
    watching.remove(mine.fileno())
    mine.close()
    other.close()


def test_a_reset_behind_bytes_is_told_after_them(
    loop: asyncio.AbstractEventLoop, watching: Readiness
) -> None:
    heard: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        mine = socket.create_connection(server.getsockname())
        other, _ = server.accept()
    other.send(b"x")
    other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    other.close()

    def ready() -> None:
        try:
            heard.append(mine.recv(10).decode())
        except ConnectionResetError:
            heard.append("reset")
            watching.remove(mine.fileno())
            mine.close()

    watching.add(mine.fileno(), ready)
    until(loop, heard, ["x", "reset"])


def test_one_closed_for_another_in_the_same_look_is_not_called(
    loop: asyncio.AbstractEventLoop, watching: Readiness
) -> None:
    heard: list[str] = []
    pairs = [socket.socketpair() for _ in range(2)]
    (first, _), (second, _) = pairs

    def close_both(name: str) -> None:
        heard.append(name)
        for mine, _ in pairs:
            watching.remove(mine.fileno())
            mine.close()

    watching.add(first.fileno(), lambda: close_both("first"))
    watching.add(second.fileno(), lambda: close_both("second"))
    for _, other in pairs:
        other.send(b"x")
    turn(loop, 0.1)
    assert len(heard) == 1
    for _, other in pairs:
        other.close()


def test_a_number_used_again_is_another_socket(
    loop: asyncio.AbstractEventLoop, watching: Readiness
) -> None:
    heard: list[str] = []
    old, old_other = socket.socketpair()
    number = old.fileno()
    watching.add(number, lambda: heard.append("old"))
    old_other.send(b"x")  # ready, but nobody has looked
    watching.remove(number)
    old.close()
    new, new_other = socket.socketpair()
    assert number in (new.fileno(), new_other.fileno())
    mine, other = (new, new_other) if new.fileno() == number else (new_other, new)

    def ready() -> None:
        heard.append(mine.recv(10).decode())

    watching.add(number, ready)
    turn(loop)
    assert heard == []
    other.send(b"new")
    until(loop, heard, ["new"])
    watching.remove(number)
    for end in (old_other, mine, other):
        end.close()


def test_closed_it_calls_nobody(loop: asyncio.AbstractEventLoop, watching: Readiness) -> None:
    heard: list[str] = []
    mine, other = socket.socketpair()
    watching.add(mine.fileno(), lambda: heard.append("called"))
    other.send(b"x")
    watching.close()
    turn(loop)
    assert heard == []
    mine.close()
    other.close()


@ON_LINUX
def test_without_a_descriptor_for_an_epoll_the_loop_does_it(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(readiness.select, "epoll", no_more)
    assert isinstance(watch_readiness(loop, nothing), readiness._OfTheLoop)


@ON_LINUX
def test_one_look_at_many_sockets_ends_once(loop: asyncio.AbstractEventLoop) -> None:
    heard: list[str] = []

    def looked() -> None:
        heard.append(f"looked, {'still' if watching.looking else 'not'} looking")

    watching = watch_readiness(loop, looked)
    pairs = [socket.socketpair() for _ in range(3)]
    for mine, theirs in pairs:

        def ready(mine: socket.socket = mine) -> None:
            mine.recv(10)
            heard.append("read while looking" if watching.looking else "read")

        watching.add(mine.fileno(), ready)
        theirs.send(b"x")
    assert not watching.looking
    until(loop, heard, ["looked, not looking"] + ["read while looking"] * 3)
    assert heard[-1] == "looked, not looking"
    watching.close()
    for pair in pairs:
        for end in pair:
            end.close()
