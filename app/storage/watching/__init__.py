"""Tells those who wait that a run has changed."""
