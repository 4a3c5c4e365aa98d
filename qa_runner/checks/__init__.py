"""Checks of a target before any load: one file each, in the order of registry.py."""
