"""Which version of the target was measured: one, or several where a rerun met another."""

from __future__ import annotations

from qa_runner.result import RunResult

__all__ = ["measured_versions", "version_caution"]

_UNKNOWN = "an unknown version"


def measured_versions(run: RunResult) -> str:
    """The version; of several each with its steps: "1.4 (step 1, 2), 1.5 (step 3)"."""
    steps = _steps(run)
    if len(steps) <= 1:
        return next(iter(steps), "") or run.target.version
    return ", ".join(f"{version or _UNKNOWN} (step {_listed(steps[version])})" for version in steps)


def version_caution(run: RunResult) -> list[str]:
    """A sentence if the steps do not speak of one and the same version."""
    if len(_steps(run)) <= 1:
        return []
    return [f"The steps measured different versions of the target: {measured_versions(run)}."]


def _steps(run: RunResult) -> dict[str, list[int]]:
    """Version to the numbers of the steps whose latest attempt measured it."""
    versions = {session.id: session.version for session in run.sessions}
    steps: dict[str, list[int]] = {}
    for step in run.steps:
        if step.latest is not None:
            steps.setdefault(versions.get(step.latest.session, ""), []).append(step.number)
    return steps


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
