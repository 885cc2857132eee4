"""Shapes of who may come in: API keys and people."""
