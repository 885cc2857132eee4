"""Feeds: folders on other servers that are watched, and each version of a file imported once."""
