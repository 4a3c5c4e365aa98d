from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from qa_runner.clock import Clock
from qa_runner.errors import StopRequested
from qa_runner.stop import PATIENCE_SECONDS, StopToken, stop_on_signals

LONG_SECONDS = 300.0
DEADLINE_SECONDS = 60.0


def test_a_token_is_set_once_and_the_first_reason_stays() -> None:
    token = StopToken()
    token.check()
    token.stop("too hot")
    token.stop("too late")
    assert token.event.is_set()
    with pytest.raises(StopRequested, match="too hot"):
        token.check()


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.001])
def test_sleep_without_a_stop_ends_in_its_time(seconds: float) -> None:
    StopToken().sleep(seconds)


def test_sleep_ends_at_once_when_a_stop_was_asked_for_or_is() -> None:
    token = StopToken()
    threading.Timer(0.05, token.stop, args=("now",)).start()
    began = time.monotonic()
    with pytest.raises(StopRequested, match="now"):
        token.sleep(LONG_SECONDS)
    with pytest.raises(StopRequested, match="now"):
        token.sleep(LONG_SECONDS)
    assert time.monotonic() - began < DEADLINE_SECONDS


def test_the_clock_waits_no_longer_than_its_event() -> None:
    token = StopToken()
    clock = Clock()
    assert not clock.wait(token.event, -1)
    token.stop("now")
    assert clock.wait(token.event, LONG_SECONDS)
    assert 0 <= clock.now() < DEADLINE_SECONDS


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (signal.SIGINT, "by Ctrl-C"),
        (signal.SIGTERM, "by SIGTERM"),
        (signal.SIGHUP, "by SIGHUP"),
    ],
)
def test_a_signal_sets_the_token_ends_a_sleep_and_raises_nothing_else(
    number: signal.Signals, reason: str
) -> None:
    token = StopToken()
    timer = threading.Timer(0.05, os.kill, args=(os.getpid(), number))
    began = time.monotonic()
    with stop_on_signals(token):
        timer.start()
        with pytest.raises(StopRequested) as caught:
            token.sleep(LONG_SECONDS)
        timer.join()
    assert str(caught.value) == reason
    assert time.monotonic() - began < DEADLINE_SECONDS


def test_a_second_ctrl_c_ends_at_once_whatever_hangs_and_other_signals_add_nothing() -> None:
    token = StopToken()
    with stop_on_signals(token):
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGHUP):
            signal.raise_signal(number)
        assert token.reason == "by SIGTERM"
        time.sleep(PATIENCE_SECONDS)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_fingers_that_press_twice_interrupt_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("qa_runner.stop.time.monotonic", lambda: now[0])
    token = StopToken()
    told = []
    with stop_on_signals(token, lambda: told.append(token.event.is_set())):
        signal.raise_signal(signal.SIGINT)
        for seconds in (0.0, 0.5, 0.49):
            now[0] += seconds
            signal.raise_signal(signal.SIGINT)
        now[0] += 0.01  # a whole second after the first, however often it was pressed between
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert token.reason == "by Ctrl-C"
    assert len(told) == 1


def test_whoever_asked_is_told_once_whatever_the_signals() -> None:
    told: list[str] = []
    with stop_on_signals(StopToken(), lambda: told.append("stopping")):
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            signal.raise_signal(number)
    assert told == ["stopping"]


def test_a_terminal_that_is_gone_keeps_nobody_from_stopping() -> None:
    # SIGHUP comes as the terminal goes, and then nothing can be written to it.
    def told() -> None:
        raise OSError(errno.EIO, "Input/output error")

    token = StopToken()
    with stop_on_signals(token, told):
        signal.raise_signal(signal.SIGHUP)
        assert token.reason == "by SIGHUP"


def test_ctrl_c_after_a_stop_of_another_kind_ends_at_once() -> None:
    token = StopToken()
    with stop_on_signals(token):
        token.stop("too hot")
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert token.reason == "too hot"


@pytest.mark.parametrize("failing", [False, True])
def test_handlers_are_as_before_afterwards(failing: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    try:
        with stop_on_signals(StopToken()):
            assert all(
                signal.getsignal(number) != old for number, old in zip(numbers, before, strict=True)
            )
            if failing:
                raise RuntimeError
    except RuntimeError:
        pass
    assert [signal.getsignal(number) for number in numbers] == before


def test_no_handler_of_a_step_swallows_a_stop() -> None:
    token = StopToken()
    token.stop("now")
    with pytest.raises(StopRequested), suppress(Exception):  # as careless authors write
        token.check()
    assert StopRequested.exit_code == 130


def test_ctrl_c_of_a_process_that_waits_is_seen_within_its_patience() -> None:
    code = (
        "from qa_runner.stop import StopToken, stop_on_signals\n"
        "token = StopToken()\n"
        "with stop_on_signals(token):\n"
        "    print('ready', flush=True)\n"
        "    try:\n"
        "        token.sleep(600)\n"
        "    except BaseException as stop:\n"
        "        print(type(stop).__name__, stop)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        try:
            assert child.stdout
            assert child.stdout.readline() == "ready\n"
            child.send_signal(signal.SIGINT)
            out, _ = child.communicate(timeout=DEADLINE_SECONDS)
        finally:
            child.kill()
    assert out == "StopRequested by Ctrl-C\n"
    assert child.returncode == 0
