"""Checks rows: turns the cells of a batch into records to be stored, and what is wrong into problems.

`row_checker.py` tells the whole pass in the order in which it runs; every other module is one of its nouns.
"""
