"""Fixtures: a generator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from qa_runner.clock import Clock
from qa_runner.load.process import GeneratorProcess


@pytest.fixture(scope="module")
def generator() -> Iterator[GeneratorProcess]:
    """A generator of the real kind."""
    with closing(GeneratorProcess(Clock())) as process:
        process.start()
        yield process
