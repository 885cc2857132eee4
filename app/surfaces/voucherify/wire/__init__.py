"""Voucherify's shapes, letter for letter."""
