"""Who may sign in: people, the accounts that they belong to, their sessions, and the links that set a password."""
