"""The pictures of items: read from an archive, stored, and served."""
