"""What only `sluice emulate` has: a clock that can be moved, and faults that happen when a test wants them to."""
