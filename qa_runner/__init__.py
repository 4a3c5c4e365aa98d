"""qa-runner: performance test cases as code, judged criterion by criterion."""

__version__ = "0.1.0"
