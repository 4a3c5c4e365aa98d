"""Debian's Chromium, driven by Playwright, and reports to show in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from browsing import Reports, Show
    from playwright.sync_api import Browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser; nothing is downloaded."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    return CHROMIUM


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One for the tests of a file: while Playwright runs, nobody else can run an event loop."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as driver:
        # In a container there is no sandbox to be had.
        started = driver.chromium.launch(executable_path=chromium, chromium_sandbox=False)
        yield started
        started.close()


@pytest.fixture(scope="session")
def reports(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """The reports by what made their runs; only where there is a browser to show them in."""
    del chromium
    from browsing import Reports  # noqa: PLC0415 (needs Playwright)

    return Reports(tmp_path_factory.mktemp("reports"))


@pytest.fixture
def show(browser: Browser) -> Show:
    """Open a report in a context of its own."""
    from browsing import show  # noqa: PLC0415 (needs Playwright)

    return partial(show, browser)
