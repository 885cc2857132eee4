"""Tells what became of an import's rows, by reading its stored file again."""
