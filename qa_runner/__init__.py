"""qa-runner: performance test cases as code, judged criterion by criterion.

The names below are what a test case needs. They are loaded when first used, so that
``import qa_runner`` stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from qa_runner.context import StepContext
    from qa_runner.errors import CouldNotRun
    from qa_runner.estimate import percentile
    from qa_runner.load.checked_response import CheckedResponse
    from qa_runner.load.plan import (
        Burst,
        ConstantArrivalRate,
        Outcome,
        RampingArrivalRate,
        RampingVirtualUsers,
        RequestTemplate,
        Sequential,
        Spike,
        Staircase,
        VirtualUsers,
    )
    from qa_runner.load.request import request
    from qa_runner.metric import Kind, Metric, Unit
    from qa_runner.sending import LoadOutcome
    from qa_runner.table import Table
    from qa_runner.testcase import Param, Step, TestCase, part

_HOMES = {
    "Burst": "load.plan",
    "CheckedResponse": "load.checked_response",
    "ConstantArrivalRate": "load.plan",
    "CouldNotRun": "errors",
    "Kind": "metric",
    "LoadOutcome": "sending",
    "Metric": "metric",
    "Outcome": "load.plan",
    "Param": "testcase",
    "RampingArrivalRate": "load.plan",
    "RampingVirtualUsers": "load.plan",
    "RequestTemplate": "load.plan",
    "Sequential": "load.plan",
    "Spike": "load.plan",
    "Staircase": "load.plan",
    "Step": "testcase",
    "StepContext": "context",
    "Table": "table",
    "TestCase": "testcase",
    "Unit": "metric",
    "VirtualUsers": "load.plan",
    "part": "testcase",
    "percentile": "estimate",
    "request": "load.request",
}

__all__ = [
    "Burst",
    "CheckedResponse",
    "ConstantArrivalRate",
    "CouldNotRun",
    "Kind",
    "LoadOutcome",
    "Metric",
    "Outcome",
    "Param",
    "RampingArrivalRate",
    "RampingVirtualUsers",
    "RequestTemplate",
    "Sequential",
    "Spike",
    "Staircase",
    "Step",
    "StepContext",
    "Table",
    "TestCase",
    "Unit",
    "VirtualUsers",
    "part",
    "percentile",
    "request",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
