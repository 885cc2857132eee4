"""Drafts as rows of a table: imports that somebody prepares in the dashboard."""
