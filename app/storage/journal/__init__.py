"""What runs and single writes have changed in the records: noted by triggers, undone, listed and pruned (ADR 58)."""
