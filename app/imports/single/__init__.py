"""Writes and deletes of single records, without a file and a run."""
