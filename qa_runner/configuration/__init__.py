"""qa-runner.toml: targets by name, their environments, and what differs per test case."""
