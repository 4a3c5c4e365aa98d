"""The report in a real browser: quiet, complete, nothing wider than the screen."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from running import COMMAND, Cli

STEPS = ("--step", "1", "--step", "3.1", "--step", "3.2")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
    "--virtual-time-budget=5000",
)
# A fresh profile asks for the time and for updates, whatever page is shown.
CHROMIUMS_OWN = (".google.com", ".googleapis.com", ".gvt1.com", ".gstatic.com")
# Asks the page, in a frame as wide as the screen in question, what a person would see.
WRAPPER = """<!doctype html><title>wait</title>
<iframe id="page" src="{source}" width="{width}" height="3000" sandbox="allow-same-origin"></iframe>
<pre id="found"></pre>
<script>
const page = document.getElementById("page");
page.addEventListener("load", () => {{
  const inside = page.contentDocument;
  const links = [...inside.querySelectorAll("a[href^='#']")].map(a => a.getAttribute("href"));
  const found = {{
    overflow: inside.documentElement.scrollWidth - {width},
    dangling: links.filter(href => !inside.getElementById(decodeURIComponent(href.slice(1)))),
    figures: inside.querySelectorAll("svg[role='img']").length,
    flat: [...inside.querySelectorAll("svg[role='img']")]
      .filter(svg => svg.getBoundingClientRect().height < 5).length,
    verdict: inside.querySelector("h1").textContent.trim(),
  }};
  document.getElementById("found").textContent = JSON.stringify(found);
}});
</script>
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    done = subprocess.run(
        [
            *COMMAND,
            *["run", "purchase-006", "--profile", "smoke", "--fault", "lock", "--quiet"],
            *STEPS,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return folder / done.stdout.splitlines()[-1]


def browse(page: Path, profile: Path, *more: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    return subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *more, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_and_its_links_lead_somewhere(
    report: Path, tmp_path: Path, width: int
) -> None:
    wrapper = report.parent / f"wrapper-{width}.html"
    wrapper.write_text(WRAPPER.format(source="report.html", width=width))
    shown = browse(wrapper, tmp_path / "profile", "--dump-dom", "--window-size=1400,3200").stdout
    match = re.search(r'<pre id="found">(.*?)</pre>', shown, re.DOTALL)
    assert match is not None
    import json  # noqa: PLC0415

    found = json.loads(match[1].replace("&amp;", "&"))
    assert found["overflow"] <= 0
    assert found["dangling"] == []
    assert found["figures"] >= 3
    assert found["flat"] == 0
    assert "FAIL" in found["verdict"]


def test_the_page_asks_for_nothing_and_says_nothing(report: Path, tmp_path: Path) -> None:
    log = tmp_path / "net.json"
    shot = tmp_path / "shot.png"
    done = browse(
        report,
        tmp_path / "profile",
        f"--screenshot={shot}",
        "--enable-logging=stderr",
        f"--log-net-log={log}",
        "--window-size=1280,2000",
    )
    assert shot.stat().st_size > 20_000
    assert "CONSOLE" not in done.stderr
    asked = set(re.findall(r'"url":"https?://([^/"]+)', log.read_text()))
    assert not {host for host in asked if not host.endswith(CHROMIUMS_OWN)}


def test_without_styles_and_scripts_the_verdicts_and_figures_are_there(
    report: Path, tmp_path: Path
) -> None:
    """As Jenkins shows it: nothing inline is allowed."""
    page = report.read_text().replace(
        "<head>",
        '<head><meta http-equiv="Content-Security-Policy" content="default-src \'none\'">',
        1,
    )
    strict = report.parent / "strict.html"
    strict.write_text(page)
    wrapper = report.parent / "wrapper-strict.html"
    wrapper.write_text(WRAPPER.format(source="strict.html", width=1280))
    shown = browse(wrapper, tmp_path / "profile", "--dump-dom", "--window-size=1400,3200").stdout
    assert '"flat":0' in shown
    assert "FAIL" in shown


def test_open_is_harmless_where_there_is_no_browser(cli: Cli) -> None:
    done = cli(
        "run", "purchase-006", "--profile", "smoke", "--step", "3.1", "--open", "--quiet",
        BROWSER="true", PATH="/nonexistent",
    )  # fmt: skip
    assert done.code == 0, done.stderr
