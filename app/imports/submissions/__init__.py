"""What is submitted: an import that is run again, and one of the files of a connection."""
