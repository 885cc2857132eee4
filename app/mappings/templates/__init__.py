"""Mappings that an account stores by name, to be used again and again."""
