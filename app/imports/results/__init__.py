"""Reports what became of the rows of an import, by reading its stored file again."""
