"""Archives: ZIP files, read by a reader of our own that trusts nothing in them."""
