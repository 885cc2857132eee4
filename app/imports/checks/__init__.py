"""What the check of a row is made of: its columns, and the paths of a nested record."""
