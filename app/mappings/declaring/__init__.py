"""What a mapping may say: read from its wire form, and fitted to a record type."""
