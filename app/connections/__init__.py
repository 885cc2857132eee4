"""Stored connections to other servers: declared, sealed, pinned, tested; and the files that are pulled over them."""
