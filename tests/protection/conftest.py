"""Fixtures: servers that answer as they are told, and a generator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from protected_site import ProtectedSite, Reply

from qa_runner.clock import Clock
from qa_runner.load.process import GeneratorProcess


@pytest.fixture
def protected_site() -> Iterator[Callable[..., ProtectedSite]]:
    """Start a server; without ``answer`` each request gets a 200 with a JSON object."""
    started: list[ProtectedSite] = []

    def start(
        answer: Callable[..., Reply] = lambda *_: Reply(), address: str = "127.0.0.1"
    ) -> ProtectedSite:
        started.append(ProtectedSite(answer, address))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture(scope="module")
def generator() -> Iterator[GeneratorProcess]:
    """A generator of the real kind."""
    with closing(GeneratorProcess(Clock())) as process:
        process.start()
        yield process
