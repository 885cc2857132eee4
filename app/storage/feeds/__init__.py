"""Feeds as rows of tables: what is watched, and which versions of files were seen there."""
