"""What holds for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

# A busy machine is no failure.
settings.register_profile("ours", deadline=None)
settings.load_profile("ours")


@pytest.fixture(scope="session", autouse=True)
def _one_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """So that the load generator is calibrated once, not by each test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QA_RUNNER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
