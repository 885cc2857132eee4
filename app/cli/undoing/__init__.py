"""The commands that take back what a run has changed, and tell what has changed a record."""
