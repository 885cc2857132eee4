"""Webhooks as rows, and the outbox of what is to be sent to them."""
