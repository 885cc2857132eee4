"""Who may call: accounts with their keys, and the tokens that stand for a key."""
