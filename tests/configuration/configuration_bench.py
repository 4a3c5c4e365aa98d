"""What the tests of the configuration share."""

from __future__ import annotations

from collections.abc import Callable

from click.testing import Result

Cli = Callable[..., Result]
