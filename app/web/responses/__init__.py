"""Responses that are made and sent piece by piece."""
