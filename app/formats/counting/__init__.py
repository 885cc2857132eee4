"""Counts the rows of a delimited file without reading their cells."""
