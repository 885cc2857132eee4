"""Checks rows: turns the cells of a batch into records to be stored, and what is wrong into problems.

Begin with `row_checker.py`, which describes the whole pass in the order in which it runs. Each other module is a part.
"""
