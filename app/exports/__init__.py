"""Exports: the records of a type as a file, written from one snapshot."""
