"""Quotas: what one account may have or send, where that differs from what holds for all."""
