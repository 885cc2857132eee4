"""Runs the commands that the pages print, on a service of their own, and writes the answers into the pages."""
