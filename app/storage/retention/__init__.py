"""What is left of runs that have ended, and for how long."""
