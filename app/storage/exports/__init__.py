"""Reads the records of a type in one snapshot, written by PostgreSQL as the lines of a file."""
