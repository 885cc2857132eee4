"""Turns workbooks that strangers made into CSV, in a process that may be killed."""
