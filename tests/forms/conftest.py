"""Stored runs, made once."""

from __future__ import annotations

from pathlib import Path

import forms_runs
import pytest

from qa_runner.report.forms.story import Story

MAKERS = (
    forms_runs.passing,
    forms_runs.failing,
    forms_runs.interrupted,
    forms_runs.was_killed,
    forms_runs.crashed_without_criteria,
    forms_runs.one_step_with_prerequisite,
    forms_runs.hostile,
)


@pytest.fixture(scope="session")
def stories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Story]:
    """By the name of what made it."""
    root: Path = tmp_path_factory.mktemp("stories")
    return {make.__name__: Story(make(root / make.__name__)) for make in MAKERS}


@pytest.fixture(params=[make.__name__ for make in MAKERS])
def story(request: pytest.FixtureRequest, stories: dict[str, Story]) -> Story:
    """Each of them."""
    return stories[request.param]
