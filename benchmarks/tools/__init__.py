"""The tools that are compared, in the order of the tables."""

from __future__ import annotations

from benchmarks.tools.ab import ApacheBench
from benchmarks.tools.autocannon import Autocannon
from benchmarks.tools.hey import Hey
from benchmarks.tools.k6 import K6
from benchmarks.tools.locust import Locust
from benchmarks.tools.qa_runner import LoadCommand, LoadEngine
from benchmarks.tools.tool import Tool
from benchmarks.tools.vegeta import Vegeta
from benchmarks.tools.wrk import Wrk, Wrk2, WrkFixedBody

__all__ = ["TOOLS"]

TOOLS: tuple[Tool, ...] = (
    LoadEngine(),
    LoadCommand(),
    ApacheBench(),
    WrkFixedBody(),
    Wrk(),
    Wrk2(),
    Hey(),
    Vegeta(),
    K6(),
    Locust(),
    Autocannon(),
)
