"""Cordial's shapes, to the letter where they are known."""
