"""Idempotency keys, with the answers that requests with them got."""
