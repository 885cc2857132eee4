"""What pages of webhooks show."""
