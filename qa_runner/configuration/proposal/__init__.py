"""A first qa-runner.toml: what is found on this machine, what is guessed, and the file's text."""
