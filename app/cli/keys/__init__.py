"""`sluice key …` and `sluice vault …`: API keys, and the keys that encrypt stored credentials."""
