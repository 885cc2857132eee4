"""What webhooks are told of a run."""
