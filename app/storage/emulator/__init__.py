"""What `sluice emulate` adds to its own database: a clock that can be moved, and the faults that are to happen."""
