"""Files that are made of the rows of an import: as they were sent, and with what became of them."""
