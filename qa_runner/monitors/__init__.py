"""Monitors: what is measured beside the load, from the start of a run to its end."""
