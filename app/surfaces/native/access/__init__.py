"""Makes the shapes of who may come in, and of accounts."""
