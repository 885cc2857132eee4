"""Imports whose rows are all staged in an overlay before the records are changed, all at once (ADR 47)."""
