"""Recognises files that are neither CSV nor JSON Lines, by their first bytes and by how their text begins (ADR 30)."""
