"""What happens by the clock, and the clock itself."""
