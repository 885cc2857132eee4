"""What can be imported: the built-in record types (one file each, data only), an account's own, and their cells."""
