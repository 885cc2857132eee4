"""Stored connections to other servers: declared, sealed, checked, pinned; and the files that are pulled over them.

Engines and surfaces import this package; it imports neither.
"""
