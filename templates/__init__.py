"""The report's templates, found by path."""
