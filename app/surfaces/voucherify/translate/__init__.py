"""Turns Voucherify's requests into submissions, and runs, records and failures into Voucherify's shapes."""
