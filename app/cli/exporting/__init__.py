"""The commands that export records: started, followed to the end, and written to a file."""
