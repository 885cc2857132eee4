"""Which column of a file fills which field of a record type."""
