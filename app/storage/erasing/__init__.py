"""Erases what an account has, in pieces."""
