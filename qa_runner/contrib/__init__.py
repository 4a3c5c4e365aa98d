"""What a project under test may install; it imports nothing else of qa-runner."""
