"""The overlay of a run: what its rows make of the records, kept apart until all of it is applied at once (ADR 47)."""
