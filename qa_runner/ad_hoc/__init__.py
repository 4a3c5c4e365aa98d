"""Load on one address without a test case: ``qa-runner load URL``."""
