"""Brings the files of a sync into its overlay, batch after batch, and the overlay into the records."""
