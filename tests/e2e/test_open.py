"""``--open`` where nothing can be opened."""

from __future__ import annotations

from running import Cli


def test_open_is_harmless_where_there_is_no_browser(cli: Cli) -> None:
    done = cli(
        "run", "purchase-006", "--profile", "smoke", "--step", "3.1", "--open", "--quiet",
        BROWSER="true", PATH="/nonexistent",
    )  # fmt: skip
    assert done.code == 0, done.stderr
