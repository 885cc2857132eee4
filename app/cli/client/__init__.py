"""How commands speak with a running service: addresses and keys, requests, failures, and what is printed."""
