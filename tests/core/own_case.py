"""The settings of a run of a case that a test writes itself."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from qa_runner.settings import RunSettings

__all__ = ["own_case"]


@contextlib.contextmanager
def own_case(source: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunSettings]:
    """Of the case MINE-1 in that source, with a target that listens and that nobody asks."""
    (folder / "testcases" / "mine").mkdir(parents=True)
    (folder / "testcases" / "mine" / "__init__.py").write_text(source)
    monkeypatch.chdir(folder)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield RunSettings(
            case="MINE-1",
            target=f"http://127.0.0.1:{listening.getsockname()[1]}",
            output=folder / "artifacts",
        )
