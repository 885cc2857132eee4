"""Runs as callers of every door ask for them."""
