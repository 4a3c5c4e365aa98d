"""Migrations of the app finances."""
