"""All SQL and all stored files: one module per table or purpose, each a set of named functions."""
