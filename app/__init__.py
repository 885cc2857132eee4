"""Sluice: a bulk-import service whose counts are true at every moment and after every crash."""
