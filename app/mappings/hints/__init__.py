"""Hints: what is probably the cause of a group of problems, and what would mend it."""
