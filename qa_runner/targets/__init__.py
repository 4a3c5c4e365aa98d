"""What is tested: an API by its URL, or the embedded one, started for the run."""
