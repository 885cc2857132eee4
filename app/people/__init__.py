"""People who sign in to the dashboard: their roles, passwords, sessions, and the accounts that they belong to."""
