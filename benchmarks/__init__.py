"""Measures speed and memory of the service beside a hand-written psql script, on one PostgreSQL: `make bench`."""
