"""Voucherify's requests into the engine's terms, and runs, records and failures into Voucherify's."""
