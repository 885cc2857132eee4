"""Decodes, cleans and scales pictures that strangers made, in a process that may be killed."""
