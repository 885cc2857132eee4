"""Rows on their way into the store: where they wait to be merged."""
