"""Requests that are repeated start nothing twice: the header `Idempotency-Key`."""
