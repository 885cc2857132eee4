"""Imports that came of each other."""
