"""Does it run as in development? Then the figures are those of development."""

from __future__ import annotations

from qa_runner.checks.check import Check, Finding, note, ok
from qa_runner.checks.checked_target import CheckedTarget
from qa_runner.errors import ProbeError

__all__ = ["DEVELOPMENT"]

_DEBUG = "DEBUG is on: errors are HTML pages and more is kept in memory"
_REMEDY = "for figures that hold in production, serve with gunicorn or uvicorn and DEBUG = False"


def _run(checked: CheckedTarget) -> Finding | None:
    debug = _debug(checked)
    found = [*_server(checked), *([_DEBUG] if debug else [])]
    if found:
        return note("; ".join(found), _REMEDY)
    if checked.answer is None:
        return None
    if debug is None:
        return ok("not the development server; DEBUG is not known")
    return ok("neither DEBUG nor the development server")


def _server(checked: CheckedTarget) -> list[str]:
    header = checked.answer.headers.get("server", "") if checked.answer else ""
    commands = [each.command for each in checked.processes()]
    # Others are built on Python's WSGIServer too: a command that can be seen tells more.
    by_header = not commands and header.startswith("WSGIServer")
    if by_header or any("runserver" in command for command in commands):
        return [
            (
                "Django's development server: its listen backlog is 10, so that bursts of new "
                "connections are reset or delayed by a second"
            )
        ]
    return []


def _debug(checked: CheckedTarget) -> bool | None:
    """Whether the settings say so; None if they are not known."""
    probe = checked.session.probe
    if probe is None:
        return None
    try:
        return probe.project().debug
    except ProbeError:
        return None  # said by the check of the probe


DEVELOPMENT = Check("development", "Development mode", _run)
