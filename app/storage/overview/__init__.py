"""What an account's runs look like together: those that are open, and how many there were on each day."""
