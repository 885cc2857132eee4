"""Shapes of what an account declares and stores by name."""
