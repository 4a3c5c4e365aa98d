from __future__ import annotations

import logging

import pytest

from qa_runner.clock import Clock
from qa_runner.events import Event, Notice
from qa_runner.feed import Feed


def test_a_broken_listener_is_logged_and_the_others_hear_everything(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[Event] = []

    def broken(event: Event) -> None:
        raise RuntimeError("no screen")

    feed = Feed([broken, heard.append], Clock())
    events = [Notice(0.5, "first"), Notice(1.0, "second")]
    with caplog.at_level(logging.ERROR):
        for event in events:
            feed.emit(event)
    assert heard == events
    assert caplog.text.count("a listener failed on Notice") == 2
    assert "no screen" in caplog.text
