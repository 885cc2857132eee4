"""The endpoints of work that takes a while: imports, exports, and the list of all runs."""
