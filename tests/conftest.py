"""What holds for all tests."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Fixtures that several folders use; see projects/README.md.
pytest_plugins = ("answering_site", "projects.fixtures", "projects.postgresql")

# A busy machine is no failure.
settings.register_profile("ours", deadline=None)
settings.load_profile("ours")


# A shell's background jobs ignore Ctrl-C, and so would all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _one_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """So that the load generator is calibrated once, not by each test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QA_RUNNER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
