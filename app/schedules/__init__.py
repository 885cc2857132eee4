"""What an account has started by the clock: schedules, and what starts them."""
