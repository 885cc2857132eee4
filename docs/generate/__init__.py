"""Builds the documentation site: copies the pages, writes the reference from the code, runs Zensical, checks links."""
