"""One record without a file: checked and merged as a row of an import is, at once."""
