"""Voucherify's shapes, to the letter."""
