"""Connectif's shapes, to the letter, and what Sluice adds to them."""
