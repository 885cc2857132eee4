"""What every HTTP door shares: who calls, what a failure looks like, and files straight into the store."""
