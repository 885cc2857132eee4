"""Other programs that import a file into PostgreSQL, measured beside Sluice: `make bench-peers`."""
