"""The pictures of items: from an archive to records and stored pictures, and back to whoever wants to see them."""
