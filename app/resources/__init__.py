"""What can be imported: the built-in record types (one file each, only data), an account's own, and field types."""
