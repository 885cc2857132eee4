"""Applies an overlay to the records, and removes what a replacement removes (ADR 47)."""
