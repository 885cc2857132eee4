"""`sluice key …`, `sluice person …` and `sluice vault …`: who may come in, and the keys that encrypt credentials."""
