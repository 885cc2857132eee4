"""The page on which bad values are corrected."""
