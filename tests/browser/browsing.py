"""Stored runs to look at, and a page in a browser that notes what should not happen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page
from report import run_factory
from report.run_factory import Factory, plans, whole

from qa_runner.report.html import render
from qa_runner.verdict import Verdict

ORIGIN = "https://report.test"
SCREENSHOTS = os.environ.get("QA_RUNNER_SCREENSHOTS", "")
"""The folder that pictures of the pages are kept in; none are taken without it."""


def passing(folder: Path) -> Path:
    return whole(folder, scale=0.2)


def failing(folder: Path) -> Path:
    return whole(folder, failing=0.8, scale=0.1)


def interrupted(folder: Path) -> Path:
    factory = Factory(folder, status="interrupted", stop_reason="by Ctrl-C")
    run_factory.fill(factory, upto=4, scale=0.1)
    step = factory.run.steps[-1]
    step.attempts[-1].error = "by Ctrl-C"
    step.attempts[-1].verdict = step.verdict = Verdict.INCONCLUSIVE
    return factory.write()


def single_step(folder: Path) -> Path:
    factory = Factory(folder, scope="step 2")
    factory.step(2, [plan for plan in plans() if plan.part.startswith("2.")])
    return factory.write()


RUNS = {make.__name__: make for make in (passing, failing, interrupted, single_step)}
NAMES = list(RUNS)


class Reports(dict[str, Path]):
    """Rendered when first asked for: not every process that runs tests needs each of them."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, name: str) -> Path:
        self[name] = render(RUNS[name](self._folder / name))
        return self[name]


@dataclass
class Seen:
    """A page, and what it said on the console, asked for and opened."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than the screen."""
        return self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

    @property
    def status(self) -> str:
        """What was announced last."""
        return self.page.locator("[role=status]").text_content() or ""

    def keep(self, name: str, *, whole: bool = True) -> None:
        """A picture of the page, or of its first screen, if pictures are wanted."""
        if SCREENSHOTS:
            path = Path(SCREENSHOTS) / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=path, full_page=whole)


Show = Callable[..., AbstractContextManager[Seen]]


@contextmanager
def show(
    browser: Browser,
    report: Path,
    *,
    width: int = 1280,
    scheme: str = "light",
    policy: str = "",
    scripts: bool = True,
    before: str = "",
) -> Iterator[Seen]:
    """Open a report as if a server sent it, perhaps with a content security policy.

    ``before`` is a script that runs before the page's own.
    """
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=scripts,
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    if before:
        page.add_init_script(before)
    seen = Seen(page)
    headers = {"Content-Type": "text/html; charset=utf-8"}
    if policy:
        headers["Content-Security-Policy"] = policy
    page.route(f"{ORIGIN}/report.html", lambda route: route.fulfill(path=report, headers=headers))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.console.append(message.text))
    page.on("pageerror", lambda error: seen.console.append(str(error)))
    page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(f"{ORIGIN}/report.html")
    seen.requests.remove(f"{ORIGIN}/report.html")
    try:
        yield seen
    finally:
        context.close()
