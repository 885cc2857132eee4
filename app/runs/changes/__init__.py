"""What becomes of single records, told in one way everywhere: the list of a plan, the history of a record, an undo."""
