"""Drafts: imports that somebody prepares step by step, kept for a day with the file that was sent."""
