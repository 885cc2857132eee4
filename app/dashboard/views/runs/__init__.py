"""What pages show of runs."""
