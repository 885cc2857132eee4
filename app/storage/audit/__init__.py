"""The audit log, which triggers fill: read and pruned."""
