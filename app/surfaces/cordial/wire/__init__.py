"""Cordial's shapes, letter for letter where they are known."""
