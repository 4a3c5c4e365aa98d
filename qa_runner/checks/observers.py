"""Is something installed that watches each request, and slows it down?"""

from __future__ import annotations

from qa_runner.checks.check import Check, Finding, note, ok
from qa_runner.checks.checked_target import CheckedTarget
from qa_runner.errors import ProbeError

__all__ = ["OBSERVERS"]

_KNOWN = {
    "silk": "silk stores each request and its queries in the database",
    "debug_toolbar": "the debug toolbar records each request's queries",
    "nplusone": "nplusone watches each query",
    "django_querycount": "querycount counts and prints queries",
    "querycount": "querycount counts and prints queries",
    "pyinstrument": "pyinstrument samples the stack",
    "cprofile_middleware": "a profiler runs with each request",
    "django_cprofile_middleware": "a profiler runs with each request",
    "easyaudit": "easyaudit writes each change to the database again",
    "auditlog": "auditlog writes each change to the database again",
}


def _run(checked: CheckedTarget) -> Finding | None:
    probe = checked.session.probe
    if probe is None:
        return None
    try:
        project = probe.project()
    except ProbeError:
        return None  # said by the check of the probe
    roots = [name.partition(".")[0] for name in (*project.apps, *project.middleware)]
    found = [_KNOWN[name] for name in dict.fromkeys(roots) if name in _KNOWN]
    if not found:
        return ok("no known profiler or recorder is installed")
    return note("; ".join(found), "take it out of the settings of the run, unless it is measured")


OBSERVERS = Check("observers", "Observers", _run)
