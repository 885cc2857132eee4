"""Merges checked batches into the stored records."""
