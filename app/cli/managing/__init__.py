"""Commands for what a service holds: imports, records, record types, coupon sets and connections."""
