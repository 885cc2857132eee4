"""Shares reads of the database among those who wait for the same."""
