"""Which column of a file probably fills which field."""
