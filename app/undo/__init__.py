"""Takes back what a run has changed in the records, as a run of its own (ADR 58)."""
