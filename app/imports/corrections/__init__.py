"""Corrects bad values of an import: which there are, and a run of the rows concerned with the corrections made."""
