"""What a request brings: a form with a file straight into the store, or a JSON object."""
