"""Who calls: API keys, and what each of them allows."""
